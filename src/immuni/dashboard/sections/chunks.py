"""How much phones have to download."""

from dataclasses import dataclass
from typing import Final

from immuni.dashboard.figures import Breakdown, Figures, Span, Subject
from immuni.dashboard.months import Month
from immuni.dashboard.plots.bars import BarPlot, Column, bar_plot
from immuni.dashboard.sections import Listing
from immuni.dashboard.words import exactly, kilobytes, on

_LABELLED: Final = (1, 8, 15, 22, 29)


@dataclass(frozen=True, slots=True)
class Chunks:
    """What is said of chunks: a sentence, their mean size by day, and the same to be read."""

    headline: str
    plot: BarPlot
    listing: Listing


def chunks(figures: Figures, month: Month) -> Chunks:
    """Put it together."""
    columns, rows = [], []
    number = size = 0
    for day in month.days:
        table = figures.table(Subject.CHUNKS, Span.DAY, Breakdown.NOTHING, day)
        label = str(day.day) if day.day in _LABELLED else ""
        found = [table.count(cell) for cell in ("chunks", "keys", "bytes")] if table else [None]
        known = [each for each in found if each is not None]
        if len(known) < 3:
            columns.append(Column(label, f"{on(day)}: not known", (), is_known=False))
            continue
        count, keys, octets = known
        mean = octets / count if count else 0
        title = f"{on(day)}: {exactly(count)} chunks of {kilobytes(mean)}, {exactly(keys)} keys"
        columns.append(Column(label, title, (round(mean),)))
        rows.append((on(day), exactly(count), exactly(keys), kilobytes(octets), kilobytes(mean)))
        number, size = number + count, size + octets
    headline = f"What was published in {month.name} is not known."
    if rows:
        headline = f"Nothing was published in {month.name} yet."
    if number:
        headline = (
            f"A chunk had {kilobytes(size / number)} on average; "
            f"a phone that fetched all {exactly(number)} of the month loaded {kilobytes(size)}."
        )
    head = ("Day", "Chunks", "Keys", "All of them", "One of them")
    listing = Listing(f"Chunks published in {month.name}, by day", head, tuple(rows))
    return Chunks(headline, bar_plot(columns, say=kilobytes), listing)
