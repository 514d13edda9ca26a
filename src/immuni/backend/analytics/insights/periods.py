"""Days, and the spans of days of which figures are shown: they nest, so that none crosses another.

A week would not do: it may lie in two months, and the month without its whole weeks would be a
count of the two or three days at its edge.
"""

from datetime import date, timedelta
from typing import Final

FIRST_DAYS: Final = (1, 8, 15, 22)
"""Of the periods of every month."""
_DAY: Final = timedelta(days=1)


def first_of_period(day: date) -> date:
    """Return the first day of a day's period: the 1st, 8th, 15th or 22nd of its month."""
    return day.replace(day=max(first for first in FIRST_DAYS if first <= day.day))


def last_of_month(day: date) -> date:
    """Return the last day of a day's month."""
    # The 28th and four days lie in the next month, whatever its length.
    return (day.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY


def ends_month(day: date) -> bool:
    """Tell whether a day is the last of its month."""
    return day == last_of_month(day)


def ends_period(day: date) -> bool:
    """Tell whether a day is the last of its period."""
    return ends_month(day) or (day + _DAY).day in FIRST_DAYS


def days_of_period(since: date) -> list[date]:
    """Return the days of the period that begins on a day."""
    days = days_between(since, last_of_month(since))
    return days[: next(place for place, day in enumerate(days, start=1) if ends_period(day))]


def days_between(first: date, last: date) -> list[date]:
    """Return the days from one to another, both included."""
    return [first + count * _DAY for count in range((last - first).days + 1)]
