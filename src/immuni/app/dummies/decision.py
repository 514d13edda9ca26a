"""When a simulated upload starts, and what it consists of. Pure.

Source:
    Traffic analysis mitigation, "Simulated upload sequences (phone)".
"""

from datetime import datetime, timedelta, tzinfo
from enum import Enum, auto
from typing import Final

from immuni.api import ConfigurationSettings, Platform
from immuni.app.dummies.memory import Opportunity
from immuni.app.dummies.people import FIRST_HOUR, LAST_HOUR, screens_pause
from immuni.entropy import Entropy

CHECKS: Final = 0.52
"""Share of checks among the requests of people who upload, as `people` has them."""
PUNCTUAL: Final = timedelta(hours=1)
"""A moment that a device has slept through for longer is put off to another hour."""


class Kind(Enum):
    """What a dummy looks like to the server, and to nobody else."""

    CHECK = auto()
    UPLOAD = auto()


class Simulates(Enum):
    """When a platform lets an App send what nobody has asked for."""

    IN_FOREGROUND = auto()
    IN_BACKGROUND = auto()

    @classmethod
    def on(cls, platform: Platform) -> "Simulates":
        """Return what holds for `platform`."""
        return cls.IN_FOREGROUND if platform is Platform.IOS else cls.IN_BACKGROUND


def next_opportunity(
    now: datetime, settings: ConfigurationSettings, entropy: Entropy
) -> Opportunity:
    """Draw when the next opportunity comes."""
    mean = settings.dummy_teks_average_opportunity_waiting_time
    return Opportunity(drawn_at=now, opens_at=now + timedelta(seconds=entropy.exponential(mean)))


def valid_opportunity(
    opportunity: Opportunity | None,
    *,
    now: datetime,
    settings: ConfigurationSettings,
    entropy: Entropy,
) -> Opportunity:
    """Return the window that counts at the beginning of a foreground session.

    Drawn anew are one that has passed, and one of a clock that has been turned back since.
    """
    if opportunity is None or now < opportunity.drawn_at:
        return next_opportunity(now, settings, entropy)
    if now >= opportunity.opens_at + timedelta(seconds=settings.dummy_teks_window_duration):
        return next_opportunity(now, settings, entropy)
    return opportunity


def start_wait(
    opportunity: Opportunity,
    *,
    now: datetime,
    settings: ConfigurationSettings,
    entropy: Entropy,
) -> timedelta | None:
    """Return how long after its beginning a foreground session starts a sequence; None if not.

    Args:
        opportunity: As `valid_opportunity` returns it.
        now: When the session begins.
        settings: The mean wait.
        entropy: Draws.
    """
    if now < opportunity.opens_at:
        return None
    mean = settings.dummy_teks_average_start_waiting_time
    return timedelta(seconds=entropy.exponential(mean))


def next_session(
    now: datetime, settings: ConfigurationSettings, entropy: Entropy, *, zone: tzinfo | None
) -> Opportunity:
    """Draw when the next background session of its own comes.

    The day is drawn, then an hour at which people upload: at night a sequence would say of itself
    that nobody is behind it.

    Args:
        now: The phone's clock.
        settings: The mean wait.
        entropy: Draws.
        zone: The phone's time zone, None for that of the machine.
    """
    drawn = next_opportunity(now, settings, entropy)
    at = _at_an_hour_of_people(drawn.opens_at, entropy, zone)
    if at < now:
        at = _at_an_hour_of_people(drawn.opens_at + timedelta(days=1), entropy, zone)
    return Opportunity(drawn_at=now, opens_at=at)


def valid_session(
    opportunity: Opportunity | None,
    *,
    now: datetime,
    settings: ConfigurationSettings,
    entropy: Entropy,
    zone: tzinfo | None,
) -> Opportunity:
    """Return the background session that counts now.

    Drawn anew is one of a clock that has been turned back since. One that the device has slept
    through is put off to an hour of the next day.
    """
    if opportunity is None or now < opportunity.drawn_at:
        return next_session(now, settings, entropy, zone=zone)
    if now - opportunity.opens_at < PUNCTUAL:
        return opportunity
    tomorrow = _at_an_hour_of_people(now + timedelta(days=1), entropy, zone)
    return Opportunity(drawn_at=now, opens_at=tomorrow)


def continues(sent: int, settings: ConfigurationSettings, entropy: Entropy) -> bool:
    """Tell whether another dummy follows.

    Args:
        sent: How many there were, at least one.
        settings: A probability for each place; the last one holds for all that follow.
        entropy: Draws.
    """
    probabilities = settings.dummy_teks_request_probabilities
    return entropy.uniform(0, 1) < probabilities[min(sent, len(probabilities)) - 1]


def request_wait(settings: ConfigurationSettings, entropy: Entropy) -> timedelta:
    """Return how long after an answer the next dummy follows: as long as a person would take."""
    mean = timedelta(seconds=settings.dummy_teks_average_request_waiting_time)
    return screens_pause(mean, entropy)


def kind_of_next(entropy: Entropy) -> Kind:
    """Draw what a dummy is, in the proportion of genuine sequences."""
    return Kind.CHECK if entropy.uniform(0, 1) < CHECKS else Kind.UPLOAD


def _at_an_hour_of_people(day: datetime, entropy: Entropy, zone: tzinfo | None) -> datetime:
    """Return a moment of the same day, in the phone's zone, at which people upload."""
    local = day.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    hour = timedelta(hours=entropy.uniform(FIRST_HOUR, LAST_HOUR))
    return (local + hour).astimezone(day.tzinfo)
