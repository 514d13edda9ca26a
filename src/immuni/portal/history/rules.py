"""Which totals may be shown: decided without I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class DayTotal:
    """The codes of one day.

    Attributes:
        day: The day.
        count: How many were authorised; None where that is withheld.
    """

    day: date
    count: int | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The days of an organisation.

    Attributes:
        days: The newest first, without a gap.
        shown: The sum of those that are shown. The sum of all would give away what is withheld.
        busiest: The highest that is shown.
    """

    days: Sequence[DayTotal]
    shown: int
    busiest: int


def totals_of(counts: Mapping[date, int], *, today: date, days: int, small: int) -> Totals:
    """Return what may be shown of an organisation's days.

    Args:
        counts: Codes by day; days that are missing had none.
        today: The newest day.
        days: How many days.
        small: Counts below this one, but 0, are withheld.

    Privacy:
        In a small hospital a day with one code may point at one person. What is shown of a day
        depends on that day alone, and nothing is shown that adds withheld days up.
    """
    shown = [
        DayTotal(day, _shown(counts.get(day, 0), small))
        for day in (today - timedelta(days=ago) for ago in range(days))
    ]
    known = [each.count for each in shown if each.count is not None]
    return Totals(shown, shown=sum(known), busiest=max(known, default=0))


def _shown(count: int, small: int) -> int | None:
    return None if 0 < count < small else count
