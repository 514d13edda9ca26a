"""Which keys are published, when, and in which window; pure decisions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from immuni.backend.infectiousness import Diagnosis, Infectiousness
from immuni.errors import ImmuniError
from immuni.keys import DiagnosisKey, ReportType, TemporaryExposureKey, start_of

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

    ready: tuple[DiagnosisKey, ...]
    waiting: tuple[TemporaryExposureKey, ...]


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

    def is_over_embargo(self, tek: TemporaryExposureKey, now: datetime) -> bool:
        """Tell whether no phone accepts the key's identifiers any longer.

        The period is the nominal one and the clock is the server's: neither can be moved by the
        phone that uploaded the key.
        """
        return start_of(tek.rolling_end_number) + self.embargo <= now

    def is_useful(self, tek: TemporaryExposureKey, now: datetime) -> bool:
        """Tell whether a phone may still hold identifiers of the key."""
        return start_of(tek.rolling_end_number) + min(self.retention, KEY_USEFUL_FOR) > now

    def sort(
        self, teks: Iterable[TemporaryExposureKey], diagnosis: Diagnosis, now: datetime
    ) -> Sorted:
        """Sort one upload's keys: publish now, or keep for a later run.

        Returns:
            Both kinds; keys that are too old or outside the table are in neither.
        """
        ready: list[DiagnosisKey] = []
        waiting: list[TemporaryExposureKey] = []
        for tek in teks:
            level = self.infectiousness.level(tek, diagnosis)
            if level is None or not self.is_useful(tek, now):
                continue
            if self.is_over_embargo(tek, now):
                ready.append(_diagnosis_key(tek, level, diagnosis))
            else:
                waiting.append(tek)
        return Sorted(tuple(ready), tuple(waiting))

    def require_over_embargo(self, keys: Iterable[DiagnosisKey], now: datetime) -> None:
        """Refuse to go on when any key is still under embargo.

        Raises:
            EmbargoError: One is, so whoever reads the chunk could pass for its phone.
        """
        early = sum(1 for key in keys if not self.is_over_embargo(key.tek, now))
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


def _diagnosis_key(tek: TemporaryExposureKey, level: int, diagnosis: Diagnosis) -> DiagnosisKey:
    # Filled in for people without symptoms as well: a gap would say who had none.
    return DiagnosisKey(
        tek,
        transmission_risk_level=level,
        report_type=ReportType.CONFIRMED_TEST,
        days_since_onset_of_symptoms=diagnosis.days_to(tek),
    )
