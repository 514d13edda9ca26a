"""Upright bars, one for each day or class, in parts that stand on each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from immuni.dashboard.plots.scale import ticks

HEIGHT: Final = 190
"""Pixels from the highest line of the grid to the ground."""
ROOM: Final = 18
"""Pixels above, for the word at the highest line."""

_FILLED: Final = 0.76
_LEAST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Column:
    """What one bar shows.

    Attributes:
        label: What stands under it; empty where there is no room for each.
        title: What a reader is told who points at it.
        parts: Counts from the ground upwards; None is withheld.
        is_known: Whether it was decided what is shown of it.
    """

    label: str
    title: str
    parts: tuple[int | None, ...]
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: from which pixel on, and how high."""

    series: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        x: Where it begins, in percent.
        width: Percent.
        parts: Its parts, from the ground upwards.
        withheld: Where a hatched stub stands, for a count that is not shown; None without one.
        label: What stands under its middle.
        title: What a reader is told who points at it.
        is_known: Whether it was decided what is shown of it.
    """

    x: float
    width: float
    parts: tuple[Part, ...]
    withheld: Part | None
    label: str
    title: str
    is_known: bool

    @property
    def middle(self) -> float:
        """Where its label stands, in percent."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid and its word."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class BarPlot:
    """A plot of bars; the ground lies `ground` pixels below its top."""

    bars: tuple[Bar, ...]
    grid: tuple[Line, ...]
    ground: int = ROOM + HEIGHT


def bar_plot(columns: Sequence[Column], *, say: Callable[[float], str]) -> BarPlot:
    """Place bars side by side.

    Args:
        columns: From left to right.
        say: Writes a number beside the grid.
    """
    heights = [sum(part or 0 for part in column.parts) for column in columns]
    values = ticks(max(heights, default=0))
    greatest = values[-1]
    slot = 100 / max(1, len(columns))
    return BarPlot(
        bars=tuple(
            _bar(column, slot * place + slot * (1 - _FILLED) / 2, slot * _FILLED, greatest)
            for place, column in enumerate(columns)
        ),
        grid=tuple(Line(_y(value, greatest), say(value)) for value in values[1:]),
    )


def _bar(column: Column, x: float, width: float, greatest: float) -> Bar:
    parts, below = [], 0
    for series, count in enumerate(column.parts, start=1):
        if count:
            top = min(_y(below + count, greatest), _y(below, greatest) - _LEAST)
            parts.append(Part(series, top, _y(below, greatest) - top))
            below += count
    stub = None
    if column.is_known and None in column.parts:
        stub = Part(0, _y(below, greatest) - HEIGHT / 8, HEIGHT / 8)
    return Bar(
        round(x, 3), round(width, 3), tuple(parts), stub, column.label, column.title,
        column.is_known,
    )  # fmt: skip


def _y(value: float, greatest: float) -> float:
    return round(ROOM + HEIGHT * (1 - value / greatest), 2)
