"""A line through what is expected of each day, within the band in which it lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from immuni.dashboard.plots.bars import HEIGHT, ROOM, Line
from immuni.dashboard.plots.scale import ticks


@dataclass(frozen=True, slots=True)
class Point:
    """One day.

    Attributes:
        label: What stands under it; empty where there is no room for each.
        title: What a reader is told who points at it.
        low: The least that is to be expected.
        expected: The middle; None where only `low` is known.
        high: The most; None where only `low` is known.
    """

    label: str
    title: str
    low: float
    expected: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a day is pointed at, in percent."""

    x: float
    width: float
    label: str
    title: str

    @property
    def middle(self) -> float:
        """Where its label and its dot stand."""
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class BandPlot:
    """A plot of a band.

    Attributes:
        band: Corners of the area, as SVG writes points, x from 0 to 100; empty without one.
        line: Points of the line, likewise.
        dots: Vertical places of the days' middles; None without one.
        spots: The days.
        grid: Lines and their words.
        ground: Pixels from the top to 0.
    """

    band: str
    line: str
    dots: tuple[float | None, ...]
    spots: tuple[Spot, ...]
    grid: tuple[Line, ...]
    ground: int = ROOM + HEIGHT


def band_plot(points: Sequence[Point], *, say: Callable[[float], str]) -> BandPlot:
    """Place days side by side.

    Args:
        points: From left to right.
        say: Writes a number beside the grid.
    """
    values = ticks(max((each.high or each.low for each in points), default=0))
    slot = 100 / max(1, len(points))

    def y(value: float) -> float:
        return round(ROOM + HEIGHT * (1 - value / values[-1]), 2)

    spots = tuple(
        Spot(round(slot * place, 3), round(slot, 3), each.label, each.title)
        for place, each in enumerate(points)
    )
    middles = [round(spot.middle, 2) for spot in spots]
    known = [(x, each) for x, each in zip(middles, points, strict=True) if each.high is not None]
    edge = [(x, y(each.high or 0)) for x, each in known]
    edge += [(x, y(each.low)) for x, each in reversed(known)]
    line = [(x, y(each.expected or 0)) for x, each in known]
    return BandPlot(
        band=_written(edge),
        line=_written(line),
        dots=tuple(None if each.expected is None else y(each.expected) for each in points),
        spots=spots,
        grid=tuple(Line(y(value), say(value)) for value in values[1:]),
    )


def _written(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in corners)
