"""What the JSON API answers."""

from datetime import date

import msgspec

from immuni.dashboard.estimates import CONFIDENCE
from immuni.dashboard.figures import Breakdown, Figures, FigureTable, Span, Subject, TableKey


class MonthsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The months of which anything is shown, written as 2026-10, the last one first."""

    months: list[str]


class ReleaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A table of which was decided what is shown.

    Attributes:
        subject: What is counted.
        span: Over which time.
        breakdown: What is told apart.
        since: The first day of that time.
    """

    subject: Subject
    span: Span
    breakdown: Breakdown
    since: date

    @classmethod
    def of(cls, key: TableKey) -> "ReleaseAnswer":
        """Return the answer about a table."""
        return cls(subject=key.subject, span=key.span, breakdown=key.breakdown, since=key.since)


class ReleasesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The tables that begin in a month."""

    releases: list[ReleaseAnswer]


class CellAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of a table; one that is missing is 0.

    Attributes:
        cell: Its place.
        count: Its count; null where it is withheld.
    """

    cell: tuple[str, ...]
    count: int | None


class FiguresAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A table of figures.

    Attributes:
        release: Which one.
        cells: Its cells that are not 0.
    """

    release: ReleaseAnswer
    cells: list[CellAnswer]

    @classmethod
    def of(cls, table: FigureTable) -> "FiguresAnswer":
        """Return the answer about a table."""
        cells = [CellAnswer(cell=cell, count=count) for cell, count in table.counts.items()]
        return cls(release=ReleaseAnswer.of(table.key), cells=cells)


class EstimateAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many phones stand behind a count.

    Attributes:
        cell: The place of the count in its table.
        reports: The count; null where it is withheld, and everything else with it.
        phones: Their number; null where the sampling rate is not known.
        low: The least of the interval.
        high: The most of it.
    """

    cell: tuple[str, ...]
    reports: int | None
    phones: int | None
    low: int | None
    high: int | None


class EstimatesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Estimates from a table of figures.

    Attributes:
        release: The table.
        confidence: How often the intervals hold the true number, at least.
        estimates: One for each cell that is not 0.
    """

    release: ReleaseAnswer
    confidence: float
    estimates: list[EstimateAnswer]

    @classmethod
    def of(cls, figures: Figures, table: FigureTable) -> "EstimatesAnswer":
        """Estimate from a table; `figures` knows the sampling rates."""
        return cls(
            release=ReleaseAnswer.of(table.key),
            confidence=CONFIDENCE,
            estimates=[_estimate(figures, table, cell) for cell in table.counts],
        )


def _estimate(figures: Figures, table: FigureTable, cell: tuple[str, ...]) -> EstimateAnswer:
    found = figures.estimate(table, node_of(table, cell), *cell)
    return EstimateAnswer(
        cell=cell,
        reports=table.counts[cell],
        phones=found.phones if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
    )


def node_of(table: FigureTable, cell: tuple[str, ...]) -> str:
    """Return the node whose sampling rate a count has."""
    return "all" if table.key.breakdown is Breakdown.NOTHING else cell[0]
