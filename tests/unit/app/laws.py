"""Whether drawn values follow the law that they should."""

from collections.abc import Callable, Iterable, Mapping
from math import sqrt
from typing import Final

KOLMOGOROV: Final = 1.95
"""A true hypothesis is above it, times the root of the number, once in a thousand times."""


def from_law(values: Iterable[float], law: Callable[[float], float]) -> float:
    """Return the Kolmogorov-Smirnov statistic of values against a distribution function."""
    ordered = sorted(values)
    count = len(ordered)
    distance = max(
        max(law(value) - place / count, (place + 1) / count - law(value))
        for place, value in enumerate(ordered)
    )
    return distance * sqrt(count)


def deviations(found: int, out_of: int, probability: float) -> float:
    """Return by how many standard deviations a count differs from what is expected."""
    expected = out_of * probability
    return abs(found - expected) / sqrt(expected * (1 - probability))


def chi_square(found: Mapping[int, int], expected: Mapping[int, float]) -> float:
    """Return the statistic of counts against what is expected of each place."""
    return sum((found.get(place, 0) - count) ** 2 / count for place, count in expected.items())
