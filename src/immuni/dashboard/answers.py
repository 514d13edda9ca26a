"""What the JSON API answers."""

from collections.abc import Iterable
from datetime import date

import msgspec

from immuni.dashboard.early_warning import Finding, Verdict
from immuni.dashboard.estimates import CONFIDENCE
from immuni.dashboard.figures import Breakdown, Figures, FigureTable, Span, Subject, TableName
from immuni.dashboard.forecast import CONFIDENCE as FORECAST_CONFIDENCE
from immuni.dashboard.forecast import Band, DayAhead


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
    def of(cls, key: TableName) -> "ReleaseAnswer":
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


class BandAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A number of people on a day.

    Attributes:
        low: The least to be expected.
        expected: Their expectation; null where only `low` is known.
        high: The most to be expected, likewise.
    """

    low: int
    expected: float | None
    high: int | None

    @classmethod
    def of(cls, band: Band) -> "BandAnswer":
        """Return the answer about a band."""
        expected = None if band.expected is None else round(band.expected, 1)
        return cls(low=band.low, expected=expected, high=band.high)


class DayAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be expected of a day: first symptoms, and calls."""

    day: date
    onsets: BandAnswer
    calls: BandAnswer


class ForecastAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be expected after the last period of a month that is over.

    Attributes:
        confidence: How often a band is to hold what comes.
        days: The days in order; none where nothing is known.
    """

    confidence: float
    days: list[DayAnswer]

    @classmethod
    def of(cls, days: Iterable[DayAhead]) -> "ForecastAnswer":
        """Return the answer about a forecast."""
        told = [
            DayAnswer(
                day=each.day, onsets=BandAnswer.of(each.onsets), calls=BandAnswer.of(each.calls)
            )
            for each in days
        ]
        return cls(confidence=FORECAST_CONFIDENCE, days=told)


class FindingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the early warning says of a province.

    Attributes:
        place: Its code.
        verdict: Whether its notified phones rose beyond chance.
        rise: By which share they rose a day; null where not known, or where there were none.
    """

    place: str
    verdict: Verdict
    rise: float | None


class EarlyWarningAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of every province; of none where there are not two periods to compare."""

    findings: list[FindingAnswer]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "EarlyWarningAnswer":
        """Return the answer about what was found."""
        told = [
            FindingAnswer(
                place=each.place,
                verdict=each.verdict,
                rise=None if each.rise is None else round(each.rise, 3),
            )
            for each in findings
        ]
        return cls(findings=told)


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
