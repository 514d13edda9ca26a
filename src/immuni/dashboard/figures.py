"""What was decided to be shown, as values, and the only SQL of the dashboard.

It reads three tables: `release` says which tables of figures there are,
`figure` holds their cells, `effective_rate` tells how many reports a phone stands for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final, LiteralString

from psycopg.rows import TupleRow

from immuni.backend.analytics.insights.figures import Breakdown, Span, Subject, TableName
from immuni.backend.analytics.insights.tables import Cell
from immuni.backend.analytics.insights.trees import ALL
from immuni.dashboard.estimates import Estimate, estimate
from immuni.dashboard.months import Month
from immuni.database import Pool

__all__ = [
    "ALL",
    "Breakdown",
    "Cell",
    "FigureStore",
    "FigureTable",
    "Figures",
    "RateKey",
    "Span",
    "Subject",
    "TableName",
]

LOOK_BACK: Final = timedelta(days=91)
"""How far back a page reads: forecasts and warnings are made from what was before its month."""

_CELLS: LiteralString = """
    SELECT release.subject, release.span, release.breakdown, release.since,
           figure.cell, figure.count
    FROM analytics.release AS release
    LEFT JOIN analytics.figure AS figure
      ON figure.subject = release.subject AND figure.span = release.span
     AND figure.breakdown = release.breakdown AND figure.since = release.since
"""
# Of the table by place and risky day, the largest by far, pages show the whole territory.
_OF_A_PAGE: LiteralString = (
    _CELLS
    + """
     AND (figure.breakdown <> 'risky-day' OR figure.cell[1] = 'all')
    WHERE release.since >= %(since)s AND release.since < %(until)s
      AND (release.since >= %(month)s
           OR release.subject = 'notified' AND release.span = 'period'
           OR release.subject = 'active' AND release.span = 'month'
              AND release.since >= %(before)s)
"""
)
_OF_A_TABLE: LiteralString = (
    _CELLS
    + """
    WHERE release.subject = %s AND release.span = %s
      AND release.breakdown = %s AND release.since = %s
    ORDER BY figure.cell
"""
)


@dataclass(frozen=True, slots=True)
class FigureTable:
    """A table of which was decided what is shown.

    Attributes:
        key: Which one.
        counts: Cells that are not 0; None is withheld.
    """

    key: TableName
    counts: Mapping[Cell, int | None]

    def count(self, *cell: str) -> int | None:
        """Return the count of a cell; None where it is withheld."""
        return self.counts.get(cell, 0)

    def nodes(self) -> list[str]:
        """Return the first place of every cell, once each, totals aside, in their order."""
        return sorted({cell[0] for cell in self.counts} - {ALL})


@dataclass(frozen=True, slots=True)
class RateKey:
    """What a sampling rate is of: all reports, or those of a platform or a build."""

    month: date
    subject: Subject
    breakdown: Breakdown
    node: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Which share of phones reported.

    Attributes:
        rate: The share; None where it is not known.
        spread: What several rates make of the variance of an estimate, by that of one.
    """

    rate: float | None
    spread: float = 1


_UNKNOWN: Final = Rate(None)


@dataclass(frozen=True, slots=True)
class Figures:
    """Tables of some time, and the sampling rates of a month.

    Attributes:
        tables: The tables that were decided.
        rates: What is known of sampling rates; a missing one is not.
    """

    tables: Mapping[TableName, FigureTable]
    rates: Mapping[RateKey, Rate] = field(default_factory=dict)

    def table(
        self, subject: Subject, span: Span, breakdown: Breakdown, since: date
    ) -> FigureTable | None:
        """Return a table; None where nothing was decided about it yet."""
        return self.tables.get(TableName(subject, span, breakdown, since))

    def of_month(
        self, month: Month, subject: Subject, breakdown: Breakdown = Breakdown.NOTHING
    ) -> FigureTable | None:
        """Return a table of a whole month."""
        return self.table(subject, Span.MONTH, breakdown, month.first)

    def rate(self, table: FigureTable, node: str) -> float | None:
        """Return which share of the phones behind a table reported; None where not known.

        Places have everybody's: with one of its own, a place would tell of its platforms.
        """
        return self._rate(table, node).rate

    def _rate(self, table: FigureTable, node: str) -> Rate:
        key, month = table.key, Month.of(table.key.since).first
        rate_key = RateKey(month, key.subject, key.breakdown, node)
        if node == ALL or key.breakdown is not Breakdown.BUILD:
            rate_key = RateKey(month, key.subject, Breakdown.NOTHING, ALL)
        return self.rates.get(rate_key, _UNKNOWN)

    def estimate(self, table: FigureTable, node: str, *cell: str) -> Estimate | None:
        """Return how many phones stand behind a count that is shown.

        Args:
            table: Of a month or a period.
            node: Whose sampling rate counts.
            cell: The count.

        Returns:
            None where the count is withheld, or the rate is not known.
        """
        known, reports = self._rate(table, node), table.count(*cell)
        if reports is None or not known.rate:
            return None
        return estimate(reports, known.rate, spread=known.spread)


class FigureStore:
    """Reads figures."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            psycopg.Error: It gives none, or keeps the tables from us.
        """
        async with self._pool.connection() as connection:
            await connection.execute("SELECT FROM analytics.release LIMIT 1")

    async def months(self) -> list[Month]:
        """Return every month of which anything is shown, the last one first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT DISTINCT date_trunc('month', since)::date AS month"
                " FROM analytics.release ORDER BY month DESC"
            )
            return [Month.of(first) for (first,) in await cursor.fetchall()]

    async def releases(self, month: Month) -> list[TableName]:
        """Return the tables that begin in a month, in order."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT subject, span, breakdown, since FROM analytics.release"
                " WHERE since >= %s AND since < %s",
                [month.first, month.next.first],
            )
            return sorted(_key(row) for row in await cursor.fetchall())

    async def table(self, key: TableName) -> FigureTable | None:
        """Return one table whole; None where nothing was decided about it yet."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                _OF_A_TABLE, [key.subject, key.span, key.breakdown, key.since]
            )
            return _tables(await cursor.fetchall()).get(key)

    async def rates(self, since: date, until: date) -> dict[RateKey, Rate]:
        """Return what is known of the sampling rates of months that begin in a span of time."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT month, subject, breakdown, node, rate, spread FROM analytics.effective_rate"
                " WHERE month >= %s AND month < %s",
                [since, until],
            )
            return {
                RateKey(first, Subject(subject), Breakdown(breakdown), node): Rate(rate, spread)
                for first, subject, breakdown, node, rate, spread in await cursor.fetchall()
            }

    async def of_page(self, month: Month) -> Figures:
        """Return what the page of a month shows, and what it is compared with."""
        spans = {
            "since": month.first - LOOK_BACK,
            "until": month.next.first,
            "month": month.first,
            "before": month.previous.first,
        }
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_OF_A_PAGE, spans)
            tables = _tables(await cursor.fetchall())
        return Figures(tables, await self.rates(month.first - LOOK_BACK, month.next.first))


def _key(row: TupleRow) -> TableName:
    subject, span, breakdown, since = row[:4]
    return TableName(Subject(subject), Span(span), Breakdown(breakdown), since)


def _tables(rows: Iterable[TupleRow]) -> dict[TableName, FigureTable]:
    """Return tables from their cells; one without any has a row whose cell is null."""
    counts: dict[TableName, dict[Cell, int | None]] = {}
    keys: dict[TupleRow, TableName] = {}
    for row in rows:
        key = keys.get(row[:4]) or keys.setdefault(row[:4], _key(row))
        cells = counts.setdefault(key, {})
        if row[4] is not None:
            cells[tuple(row[4])] = row[5]
    return {key: FigureTable(key, cells) for key, cells in counts.items()}
