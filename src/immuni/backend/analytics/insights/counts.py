"""The counts of a month, as far as its days are over. Nobody sees them: they hold small ones."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

UNKNOWN_BUILD: Final = "unknown"
UPLOADED: Final = "uploaded"
_Key = TypeVar("_Key")


@dataclass(frozen=True, slots=True)
class ReportKey:
    """What reports are told apart by.

    Attributes:
        kind: ``notified``, or without exposure ``healthy`` or ``impaired``.
    """

    day: date
    province: str
    platform: str
    build: str
    kind: str


@dataclass(frozen=True, slots=True)
class NotifiedKey:
    """What reports with exposure are told apart by; the date is None where there was none."""

    day: date
    province: str
    last_risky_on: date | None


@dataclass(frozen=True, slots=True)
class UploadKey:
    """What uploads are told apart by: see `analytics.upload_count`."""

    day: date
    province: str
    onset: str
    exposure: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCounts:
    """What was counted in a month.

    Attributes:
        days: The days that were counted, in their order.
        reports: Numbers of reports.
        notified: Numbers of those with exposure, told apart otherwise.
        uploads: Numbers of uploads.
        codes: The services' counters, by day and name.
    """

    days: tuple[date, ...]
    reports: Mapping[ReportKey, int] = field(default_factory=dict)
    notified: Mapping[NotifiedKey, int] = field(default_factory=dict)
    uploads: Mapping[UploadKey, int] = field(default_factory=dict)
    codes: Mapping[tuple[date, str], int] = field(default_factory=dict)

    def until(self, day: date) -> "MonthCounts":
        """Return the counts as they were when a day was over."""
        return MonthCounts(
            days=tuple(each for each in self.days if each <= day),
            reports={key: count for key, count in self.reports.items() if key.day <= day},
            notified={key: count for key, count in self.notified.items() if key.day <= day},
            uploads={key: count for key, count in self.uploads.items() if key.day <= day},
            codes={key: count for key, count in self.codes.items() if key[0] <= day},
        )

    def codes_of(self, day: date) -> dict[str, int]:
        """Return what became of the codes of a day: not checked, not used, or uploaded.

        The services' counters lose up to a minute when a process is killed, so they may lag
        behind the uploads, which never are lost.
        """
        uploaded = sum(count for key, count in self.uploads.items() if key.day == day)
        checked = max(self.codes.get((day, "checked"), 0), uploaded)
        authorised = max(self.codes.get((day, "authorised"), 0), checked)
        return {
            "unchecked": authorised - checked,
            "unsent": checked - uploaded,
            UPLOADED: uploaded,
        }


def total_by(pairs: Iterable[tuple[_Key, int]]) -> dict[_Key, int]:
    """Add up counts that have the same key."""
    totals: Counter[_Key] = Counter()
    for key, count in pairs:
        totals[key] += count
    return dict(totals)
