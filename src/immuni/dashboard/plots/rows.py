"""Bars and intervals that lie in the cells of a table, all on one scale."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from immuni.dashboard.estimates import Estimate
from immuni.dashboard.plots.scale import ticks
from immuni.dashboard.words import WITHHELD, about, between


@dataclass(frozen=True, slots=True)
class Row:
    """A bar or an interval beside its name and its number.

    Attributes:
        name: What it is of.
        said: Its number, in words.
        length: Percent of the cell; None where nothing is drawn.
        low: Where the interval begins, in percent; None without one.
        high: Where it ends.
        withheld: Whether the number is not shown.
        range: The interval in words; empty without one.
        note: More about it, beside its name; empty without.
    """

    name: str
    said: str
    length: float | None = None
    low: float | None = None
    high: float | None = None
    withheld: bool = False
    range: str = ""
    note: str = ""


def bar_rows(
    counts: Sequence[tuple[str, int | None]], *, say: Callable[[int, int], str]
) -> list[Row]:
    """Return a row for each count.

    Args:
        counts: Names and counts; None is withheld.
        say: Writes a count, and what share of the sum of all that are shown it has.
    """
    shown = [count for _, count in counts if count is not None]
    greatest = max(shown, default=0) or 1
    return [
        Row(name, WITHHELD, withheld=True)
        if count is None
        else Row(name, say(count, sum(shown)), length=round(100 * count / greatest, 2))
        for name, count in counts
    ]


def interval_rows(estimates: Sequence[tuple[str, Estimate | None, bool]]) -> list[Row]:
    """Return a row for each estimate.

    Args:
        estimates: Names, estimates (None where there is none) and whether that is because the
            count is withheld.
    """
    greatest = ticks(max((each.high for _, each, _ in estimates if each), default=0))[-1]

    def percent(phones: int) -> float:
        return round(100 * phones / greatest, 2)

    return [
        Row(name, WITHHELD if withheld else "not known", withheld=withheld)
        if each is None
        else Row(
            name,
            about(each.phones),
            percent(each.phones),
            percent(each.low),
            percent(each.high),
            range=between(each),
        )
        for name, each, withheld in estimates
    ]
