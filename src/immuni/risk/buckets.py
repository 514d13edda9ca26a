"""The eight ranges into which the v1 model sorts each factor of an exposure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_ATTENUATION_ABOVE_DB: Final = (73, 63, 51, 33, 27, 15, 10)
_DAYS_AT_LEAST: Final = (14, 12, 10, 8, 6, 4, 2)
_MINUTES_AT_MOST: Final = (0, 5, 10, 15, 20, 25, 30)
_LAST: Final = 7


@dataclass(frozen=True, slots=True)
class Bucket:
    """One of the eight ranges of a factor.

    Attributes:
        index: Its place among the scores of the configuration, 0..7.
        lower: Its lower limit; None where it has none.
        upper: Its upper limit; None where it has none.
        begins_at_lower: Whether the lower limit belongs to it; otherwise the upper one does.
    """

    index: int
    lower: int | None
    upper: int | None
    begins_at_lower: bool = False


def attenuation_bucket(attenuation_db: int) -> Bucket:
    """Return the bucket of a mean attenuation: above its lower limit, at most its upper one."""
    index = next(
        (place for place, edge in enumerate(_ATTENUATION_ABOVE_DB) if attenuation_db > edge), _LAST
    )
    return _descending(_ATTENUATION_ABOVE_DB, index, begins_at_lower=False)


def days_bucket(days: int) -> Bucket:
    """Return the bucket of a number of days: at least its lower limit, below its upper one."""
    index = next((place for place, edge in enumerate(_DAYS_AT_LEAST) if days >= edge), _LAST)
    return _descending(_DAYS_AT_LEAST, index, begins_at_lower=True)


def duration_bucket(duration: timedelta) -> Bucket:
    """Return the bucket of a duration, in minutes: above its lower limit, at most its upper one."""
    edges = enumerate(_MINUTES_AT_MOST)
    index = next((place for place, edge in edges if duration <= timedelta(minutes=edge)), _LAST)
    return Bucket(
        index,
        lower=_MINUTES_AT_MOST[index - 1] if index else None,
        upper=_MINUTES_AT_MOST[index] if index < _LAST else None,
    )


def _descending(edges: tuple[int, ...], index: int, *, begins_at_lower: bool) -> Bucket:
    return Bucket(
        index,
        lower=edges[index] if index < _LAST else None,
        upper=edges[index - 1] if index else None,
        begins_at_lower=begins_at_lower,
    )
