"""Axes that end at round numbers, and classes for colours."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

CLASSES: Final = 5
"""Colours of a map: more cannot be told apart on small tiles."""

_STEPS: Final = (1, 2, 5, 10)


def round_step(rough: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20 … that is not below `rough`.

    >>> [round_step(each) for each in (0.3, 3, 17, 21)]
    [1.0, 5.0, 20.0, 50.0]
    """
    unit = 10.0 ** max(0, floor(log10(max(rough, 1))))
    return next(unit * step for step in _STEPS if unit * step >= rough)


def ticks(greatest: float, *, wanted: int = 4) -> list[float]:
    """Return round numbers from 0 to at least `greatest`, about `wanted` steps apart.

    >>> ticks(870)
    [0.0, 500.0, 1000.0]
    """
    step = round_step(max(greatest, 1) / wanted)
    return [step * each for each in range(ceil(max(greatest, 1) / step) + 1)]


@dataclass(frozen=True, slots=True)
class Classes:
    """A few ranges of values, each with about as many values in it.

    Attributes:
        limits: The least values of the second range and those after it, ascending.
    """

    limits: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> "Classes":
        """Return ranges for `values`, with round limits."""
        ordered = sorted(values)
        if not ordered:
            return cls(())
        raw = [ordered[len(ordered) * part // CLASSES] for part in range(1, CLASSES)]
        limits = sorted({_two_digits(each) for each in raw})
        return cls(tuple(each for each in limits if ordered[0] < each <= ordered[-1]))

    def place(self, value: float) -> int:
        """Return the range of a value, from 1; ranges are spread over the colours.

        Two ranges get the lightest colour and the darkest, not two that look alike.
        """
        return self._colour(bisect_right(self.limits, value))

    def ranges(self) -> Sequence[tuple[int, float | None, float | None]]:
        """Return colour, least value and first value above of each range; None where open."""
        lows: list[float | None] = [None, *self.limits]
        highs: list[float | None] = [*self.limits, None]
        return [(self._colour(i), *pair) for i, pair in enumerate(zip(lows, highs, strict=True))]

    def _colour(self, index: int) -> int:
        if not self.limits:
            return (CLASSES + 1) // 2
        return 1 + round(index * (CLASSES - 1) / len(self.limits))


def _two_digits(value: float) -> float:
    """Round to two digits that count."""
    if value <= 0:
        return 0
    return round(value, 1 - floor(log10(value)))
