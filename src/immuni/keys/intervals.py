"""Ten-minute intervals, the protocol's unit of time."""

from datetime import UTC, date, datetime, timedelta
from typing import Final, NewType

ENIntervalNumber = NewType("ENIntervalNumber", int)
"""Number of ten-minute intervals since the Unix epoch; written ENIN in the specification."""

INTERVAL_SECONDS: Final = 600
INTERVAL: Final = timedelta(seconds=INTERVAL_SECONDS)
TEK_ROLLING_PERIOD: Final = 144
"""Intervals in a whole rolling period, that is in a day."""
MAX_INTERVAL: Final = 2**32 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def interval_at(instant: datetime) -> ENIntervalNumber:
    """Return the interval that contains `instant`.

    Args:
        instant: An aware datetime, in any zone.

    Raises:
        ValueError: `instant` is naive.

    Source:
        Exposure Notification Cryptography Specification v1.2, "ENIntervalNumber".
    """
    if instant.utcoffset() is None:
        raise ValueError("interval_at needs an aware datetime")
    return ENIntervalNumber((instant - _EPOCH) // INTERVAL)


def start_of(interval: ENIntervalNumber) -> datetime:
    """Return the first instant of `interval`, in UTC."""
    return datetime.fromtimestamp(interval * INTERVAL_SECONDS, UTC)


def day_of(interval: ENIntervalNumber) -> date:
    """Return the UTC day in which `interval` lies."""
    return start_of(interval).date()


def rolling_start_of(interval: ENIntervalNumber) -> ENIntervalNumber:
    """Return the first interval of the UTC day that contains `interval`.

    Source:
        Cryptography Specification v1.2, "Temporary Exposure Key".
    """
    return ENIntervalNumber(interval // TEK_ROLLING_PERIOD * TEK_ROLLING_PERIOD)


def first_interval_of(day: date) -> ENIntervalNumber:
    """Return the first interval of the UTC day `day`."""
    return interval_at(datetime(day.year, day.month, day.day, tzinfo=UTC))
