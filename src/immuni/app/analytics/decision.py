"""Whether a detection is followed by Operational Info, by a dummy, or by nothing. Pure.

All times are the server's: a phone whose clock is wrong draws in the same months as all others.

Source:
    Analytics, "When a phone sends"; Traffic analysis mitigation, "Dummy analytics (phone)".
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final

from msgspec.structs import replace

from immuni.api import ConfigurationSettings
from immuni.app.analytics.memory import AnalyticsMemory, Detected, MonthlyMoment
from immuni.app.analytics.months import draw_moment, month_of
from immuni.entropy import Entropy

FIRST_SILENCE: Final = timedelta(hours=24)
"""From the installation on, by the server's clock, nothing is sent to the Analytics Service."""
WINDOW: Final = timedelta(hours=24)
"""How long a moment that was drawn waits for a detection."""


class Sending(Enum):
    """What is sent after a detection: one of these at most."""

    WITH_EXPOSURE = auto()
    WITHOUT_EXPOSURE = auto()
    DUMMY = auto()


def after_contact(
    memory: AnalyticsMemory,
    *,
    now: datetime,
    installed_at: datetime,
    settings: ConfigurationSettings,
    entropy: Entropy,
) -> AnalyticsMemory:
    """Return the memory with what is learnt at the first contact and drawn at each month's first.

    Args:
        memory: As it is.
        now: The server's clock.
        installed_at: When the onboarding was completed, by what is known of the server's clock.
        settings: The mean time to a dummy.
        entropy: Draws the moments.
    """
    if memory.installed_at is None:
        # Nobody installs in the future: the phone's clock was set back since then.
        installed_at = min(installed_at, now)
        memory = replace(
            memory,
            installed_at=installed_at,
            dummy_from=_next_dummy(installed_at, settings, entropy),
        )
    month = month_of(now)
    # A month that was left is not entered again, should a server once have told a wrong date.
    if memory.moment is None or memory.moment.month < month:
        moment = MonthlyMoment(month=month, at=draw_moment(month, entropy))
        memory = replace(memory, moment=moment)
    return memory


def may_send(memory: AnalyticsMemory, now: datetime) -> bool:
    """Tell whether the first 24 hours of the phone are over, by the server's clock."""
    return memory.installed_at is not None and now - memory.installed_at >= FIRST_SILENCE


def with_detection(memory: AnalyticsMemory, detected: Detected | None) -> AnalyticsMemory:
    """Return the memory with a detection to decide on.

    One that warned is not forgotten for a later one that did not, should there be two of them.

    Args:
        memory: As it is.
        detected: What a check came to, None where it was no detection.
    """
    if detected is None or memory.undecided is Detected.EXPOSURE:
        return memory
    return replace(memory, undecided=detected)


def after_detection(
    memory: AnalyticsMemory,
    detected: Detected,
    *,
    now: datetime,
    settings: ConfigurationSettings,
    entropy: Entropy,
) -> tuple[AnalyticsMemory, Sending | None]:
    """Decide what a detection is followed by.

    Args:
        memory: As it is after `after_contact`.
        detected: What the detection came to.
        now: The server's clock.
        settings: The sampling rates, and the mean time to a dummy.
        entropy: Draws.

    Returns:
        The memory in which the decision is used up, to be stored before anything is sent; and what
        is to be sent.
    """
    if not may_send(memory, now):
        return memory, None
    memory, sending = _genuine(memory, detected, now, settings, entropy)
    if memory.dummy_from is None or now < memory.dummy_from:
        return memory, sending
    # A genuine one goes alone; the window counts as used nevertheless.
    if sending is None and now < memory.dummy_from + WINDOW:
        sending = Sending.DUMMY
    return replace(memory, dummy_from=_next_dummy(now, settings, entropy)), sending


def _genuine(
    memory: AnalyticsMemory,
    detected: Detected,
    now: datetime,
    settings: ConfigurationSettings,
    entropy: Entropy,
) -> tuple[AnalyticsMemory, Sending | None]:
    """Draw, where the month still has a draw for this kind; it is used up whatever comes out."""
    match detected:
        case Detected.EXPOSURE if _is_exposure_undrawn(memory, now):
            drawn = replace(memory, exposure_drawn_in=month_of(now))
            rate = settings.operational_info_with_exposure_sampling_rate
            return drawn, Sending.WITH_EXPOSURE if entropy.uniform(0, 1) < rate else None
        case Detected.NO_EXPOSURE if memory.moment is not None and _is_open(memory.moment, now):
            drawn = replace(memory, moment=replace(memory.moment, is_used=True))
            rate = settings.operational_info_without_exposure_sampling_rate
            return drawn, Sending.WITHOUT_EXPOSURE if entropy.uniform(0, 1) < rate else None
        case _:
            return memory, None


def _is_exposure_undrawn(memory: AnalyticsMemory, now: datetime) -> bool:
    return memory.exposure_drawn_in is None or memory.exposure_drawn_in < month_of(now)


def _is_open(moment: MonthlyMoment, now: datetime) -> bool:
    return not moment.is_used and moment.at <= now < moment.at + WINDOW


def _next_dummy(since: datetime, settings: ConfigurationSettings, entropy: Entropy) -> datetime:
    return since + timedelta(seconds=entropy.exponential(settings.dummy_analytics_waiting_time))
