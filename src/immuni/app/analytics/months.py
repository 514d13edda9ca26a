"""Calendar months in UTC, as days and moments of them are drawn. Pure."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from immuni.entropy import Entropy


def month_of(instant: datetime) -> date:
    """Return the first day of the month, in UTC, that contains `instant`."""
    return instant.astimezone(UTC).date().replace(day=1)


def month_after(month: date) -> date:
    """Return the first day of the month that follows one."""
    return month + timedelta(days=_length(month))


def draw_moment(month: date, entropy: Entropy) -> datetime:
    """Draw a moment that is uniform in a month without its last day.

    Whatever may be done within 24 hours of it is done in the same month.
    """
    span = timedelta(days=_length(month) - 1)
    begin = datetime.combine(month, time(), UTC)
    return begin + timedelta(seconds=entropy.uniform(0, span.total_seconds()))


def _length(month: date) -> int:
    return monthrange(month.year, month.month)[1]
