"""Which keys are published, when, and in which window; pure decisions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from immuni.backend.infectiousness import Diagnosis, Infectiousness
from immuni.backend.packed_keys import StoredKey
from immuni.backend.publishing.due import DueKeys
from immuni.errors import ImmuniError
from immuni.keys import TEK_ROLLING_PERIOD, ENIntervalNumber, PackedKeys, interval_at

KEY_USEFUL_FOR: Final = timedelta(days=14)
"""How long after a key's period a phone may still hold identifiers of it."""


class EmbargoError(ImmuniError, RuntimeError):
    """A key was about to be published while phones still accept its identifiers; nothing was."""


@dataclass(frozen=True, slots=True)
class Window:
    """The span of time that a run stands for, the same in every file of the run."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Sorted:
    """The keys of one upload, sorted by what becomes of them now; the others are of no use."""

    ready: DueKeys
    waiting: list[StoredKey] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationRules:
    """The rules of one run.

    Attributes:
        infectiousness: Levels by day; a key of a day outside is never published.
        embargo: How long a key's period must have been over.
        retention: For how long keys are kept; where it is longer than keys are of use, that counts.
    """

    infectiousness: Infectiousness
    embargo: timedelta
    retention: timedelta

    def last_free_end(self, now: datetime) -> ENIntervalNumber:
        """Return the last end of a rolling period whose key no phone accepts any longer.

        The period is the nominal one and the clock is the server's: neither can be moved by the
        phone that uploaded the key.
        """
        return interval_at(now - self.embargo)

    def last_useless_end(self, now: datetime) -> ENIntervalNumber:
        """Return the last end of a rolling period of which no phone holds identifiers any more."""
        return interval_at(now - min(self.retention, KEY_USEFUL_FOR))

    def sort(self, keys: Iterable[StoredKey], diagnosis: Diagnosis, now: datetime) -> Sorted:
        """Sort one upload's keys: publish now, or keep for a later run.

        Returns:
            Both kinds; keys that are too old or outside the table are in neither.
        """
        levels, first_day = self.infectiousness.levels, diagnosis.onset_number
        free, useless = self.last_free_end(now), self.last_useless_end(now)
        parts = Sorted(DueKeys(), [])
        for key_data, start, period in keys:
            # Days of people without symptoms are filled in as well: a gap would say who had none.
            onset = start // TEK_ROLLING_PERIOD - first_day
            level = levels.get(onset)
            if level is None or start + period <= useless:
                continue
            if start + period <= free:
                parts.ready.add(key_data, start, period, level=level, onset=onset)
            else:
                parts.waiting.append((key_data, start, period))
        return parts

    def count_under_embargo(self, keys: PackedKeys, now: datetime) -> int:
        """Return how many of the keys phones may still accept identifiers of."""
        free = self.last_free_end(now)
        ends = map(int.__add__, keys.rolling_starts, keys.rolling_periods)
        return sum(end > free for end in ends)

    def require_over_embargo(self, keys: PackedKeys, now: datetime) -> None:
        """Refuse to go on when any key is still under embargo.

        Raises:
            EmbargoError: One is, so whoever reads the chunk could pass for its phone.
        """
        early = self.count_under_embargo(keys, now)
        if early:
            raise EmbargoError(f"{early} keys of the chunk are still under embargo")


def window_at(now: datetime, period: timedelta) -> Window:
    """Return the last whole window before `now`.

    Args:
        now: An aware datetime.
        period: A duration that divides a day.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    end = midnight + (now - midnight) // period * period
    return Window(end - period, end)


def not_before(window: Window, last_end: datetime | None) -> Window:
    """Return the window that a chunk tells, where the last chunk's window ended at `last_end`.

    Windows never go back, whatever the clock does: chunks expire by the end of theirs, and one that
    expired before an older one would leave a gap among the numbers that phones are told of.
    """
    if last_end is None or last_end <= window.end:
        return window
    return Window(last_end - (window.end - window.start), last_end)
