"""Numbers and days as people read them."""

from collections.abc import Sequence
from datetime import date
from math import ceil, floor, log10
from typing import Final

from immuni.dashboard.estimates import Estimate
from immuni.dashboard.months import NAMES

WITHHELD: Final = "withheld"
_MILLION: Final = 1_000_000
_DIGITS: Final = 3


def exactly(count: float) -> str:
    """Write a number whole.

    >>> exactly(1234567)
    '1,234,567'
    """
    return f"{round(count):,}"


def shown(count: int | None) -> str:
    """Write a count, or that it is withheld."""
    return WITHHELD if count is None else exactly(count)


def about(count: float) -> str:
    """Write a number with the three digits that count.

    >>> [about(each) for each in (812, 8954, 345_678, 1_234_567, 12_000_000)]
    ['812', '8,950', '346,000', '1.23 million', '12 million']
    """
    unit = 10 ** max(0, _magnitude(count) - _DIGITS)
    return _written(round(count / unit) * unit)


def between(estimate: Estimate) -> str:
    """Write an interval, its ends rounded outwards.

    >>> between(Estimate(1_234_567, 1_231_100, 1_239_999))
    '1.23 to 1.24 million'
    >>> between(Estimate(999_000, 994_100, 1_003_900))
    '990,000 to 1.01 million'
    """
    unit = 10 ** max(0, _magnitude(estimate.high) - _DIGITS)
    low, high = floor(estimate.low / unit) * unit, ceil(estimate.high / unit) * unit
    if low < _MILLION:
        return f"{_written(low)} to {_written(high)}"
    decimals = max(0, _DIGITS - _magnitude(high / _MILLION))
    return f"{low / _MILLION:.{decimals}f} to {high / _MILLION:.{decimals}f} million"


def share(part: float, whole: float) -> str:
    """Write a part of a whole in percent.

    >>> [share(1, 3), share(1, 300), share(999, 1000), share(0, 0)]
    ['33 %', '0.3 %', '99.9 %', '-']
    """
    if not whole:
        return "-"
    percent = 100 * part / whole
    is_near_an_end = 0 < percent < 1 or 99 < percent < 100
    return f"{percent:.1f} %" if is_near_an_end else f"{percent:.0f} %"


def on(day: date) -> str:
    """Write a day without its year."""
    return f"{day.day} {NAMES[day.month - 1]}"


def listed(names: Sequence[str]) -> str:
    """Write names one after the other.

    >>> listed(["Milano", "Monza", "Varese"])
    'Milano, Monza and Varese'
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def kilobytes(size: float) -> str:
    """Write a size of data.

    >>> [kilobytes(each) for each in (900, 61_440, 2_500_000)]
    ['0.9 kB', '61 kB', '2.5 MB']
    """
    if size >= _MILLION:
        return f"{size / _MILLION:.1f} MB"
    return f"{size / 1000:.1f} kB" if size < 10_000 else f"{size / 1000:.0f} kB"


def _magnitude(count: float) -> int:
    return floor(log10(count)) + 1 if count >= 1 else 0


def _written(count: int) -> str:
    if count < _MILLION:
        return exactly(count)
    digits = f"{count / _MILLION:.{max(0, _DIGITS - _magnitude(count / _MILLION))}f}"
    return f"{digits.rstrip('0').rstrip('.') if '.' in digits else digits} million"
