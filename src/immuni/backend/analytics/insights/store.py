"""Counts and figures in the analytics database."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.analytics.insights.counting import RateFrom
from immuni.backend.analytics.insights.counts import (
    UNKNOWN_BUILD,
    MonthCounts,
    NotifiedKey,
    ReportKey,
    UploadKey,
)
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.rates import EffectiveRate
from immuni.backend.analytics.insights.tables import Cell

Connection = AsyncConnection[TupleRow]
_OF_MONTH: Final = "WHERE day >= %s AND day < %s::date + interval '1 month'"
_DAYS: Final = f"SELECT day FROM analytics.counted_day {_OF_MONTH} ORDER BY day"  # noqa: S608 - names of ours
_REPORTS: Final = f"""
    SELECT day, province, platform, coalesce(build::text, '{UNKNOWN_BUILD}'), kind, reports
    FROM analytics.report_count {_OF_MONTH}
"""  # noqa: S608 - names of ours
_NOTIFIED: Final = f"""
    SELECT day, province, last_risky_on, reports FROM analytics.notified_count {_OF_MONTH}
"""  # noqa: S608 - names of ours
_UPLOADS: Final = f"""
    SELECT day, province, onset, exposure, uploads FROM analytics.upload_count {_OF_MONTH}
"""  # noqa: S608 - names of ours
_CODES: Final = f"SELECT day, name, codes FROM analytics.code_count {_OF_MONTH}"  # noqa: S608 - names of ours
_RATES: Final = f"""
    SELECT day, platform, starting_build, with_exposure, without_exposure
    FROM analytics.sampling_rate {_OF_MONTH}
"""  # noqa: S608 - names of ours
_FIGURES: Final = """
    SELECT subject, span, breakdown, since, cell, count
    FROM analytics.release LEFT JOIN analytics.figure USING (subject, span, breakdown, since)
    WHERE since >= %s AND since < %s::date + interval '1 month'
"""
_RELEASE: Final = "INSERT INTO analytics.release VALUES (%s, %s, %s, %s)"
_KEEP_FIGURE: Final = "INSERT INTO analytics.figure VALUES (%s, %s, %s, %s, %s, %s)"
_FORGET_RATES: Final = "DELETE FROM analytics.effective_rate WHERE month = %s"
_KEEP_RATE: Final = "INSERT INTO analytics.effective_rate VALUES (%s, %s, %s, %s, %s, %s)"
_LAST_CLOSED: Final = "SELECT max(since) FROM analytics.release WHERE span = 'day'"
_COUNTED_AFTER: Final = "SELECT day FROM analytics.counted_day WHERE day > %s ORDER BY day"
# Figures go with their table; the last day that was counted stays, so that none is counted again.
_PURGE_FIGURES: Final = (
    "DELETE FROM analytics.release WHERE since < %s",
    "DELETE FROM analytics.effective_rate WHERE month < %s",
    """DELETE FROM analytics.counted_day
       WHERE day < least(%s, (SELECT max(day) FROM analytics.counted_day))""",
)
_COUNTS: Final = ("report_count", "notified_count", "upload_count", "code_count", "sampling_rate")


async def days_to_close(connection: Connection) -> list[date]:
    """Return the days that were counted, of which nothing was decided yet."""
    row = await (await connection.execute(_LAST_CLOSED)).fetchone()
    last = row[0] if row and row[0] else date.min
    return [row[0] async for row in await connection.execute(_COUNTED_AFTER, [last])]


async def load_counts(connection: Connection, month: date) -> MonthCounts:
    """Return what was counted in a month, given by its first day."""
    of = [month, month]
    return MonthCounts(
        days=tuple([row[0] async for row in await connection.execute(_DAYS, of)]),
        reports={
            ReportKey(*row[:5]): row[5] async for row in await connection.execute(_REPORTS, of)
        },
        notified={
            NotifiedKey(*row[:3]): row[3] async for row in await connection.execute(_NOTIFIED, of)
        },
        uploads={
            UploadKey(*row[:4]): row[4] async for row in await connection.execute(_UPLOADS, of)
        },
        codes={(row[0], row[1]): row[2] async for row in await connection.execute(_CODES, of)},
    )


async def load_rates(connection: Connection, month: date) -> dict[date, list[RateFrom]]:
    """Return the sampling rates of each day of a month."""
    rates: dict[date, list[RateFrom]] = {}
    async for row in await connection.execute(_RATES, [month, month]):
        rates.setdefault(row[0], []).append(RateFrom(*row[1:]))
    return rates


async def load_ledger(connection: Connection, month: date) -> Ledger:
    """Return what was decided of a month."""
    tables: dict[TableName, dict[Cell, int | None]] = {}
    async for row in await connection.execute(_FIGURES, [month, month]):
        name = TableName(Subject(row[0]), Span(row[1]), Breakdown(row[2]), row[3])
        table = tables.setdefault(name, {})
        if row[4] is not None:
            table[tuple(row[4])] = row[5]
    return Ledger(dict(tables))


async def keep_tables(connection: Connection, tables: Iterable[tuple[TableName, Figures]]) -> None:
    """Keep tables that were decided; each is decided once."""
    async with connection.cursor() as cursor:
        for name, figures in tables:
            where = (name.subject, name.span, name.breakdown, name.since)
            await cursor.execute(_RELEASE, where)
            await cursor.executemany(
                _KEEP_FIGURE, [(*where, list(cell), count) for cell, count in figures.items()]
            )


async def keep_rates(connection: Connection, month: date, rates: Iterable[EffectiveRate]) -> None:
    """Keep the effective rates of a month, in place of those that it had so far."""
    await connection.execute(_FORGET_RATES, [month])
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _KEEP_RATE,
            [
                (month, each.subject, each.breakdown, each.node, each.rate, each.spread)
                for each in rates
            ],
        )


async def forget_counts(connection: Connection, *, before: date) -> None:
    """Delete the counts of days of which everything has been decided."""
    for table in _COUNTS:
        await connection.execute(f"DELETE FROM analytics.{table} WHERE day < %s", [before])  # noqa: S608 - names of ours


async def purge_insights(
    connection: Connection, *, counts_before: date, figures_before: date
) -> None:
    """Delete counts and figures past their time, and which of those days were counted."""
    await forget_counts(connection, before=counts_before)
    for statement in _PURGE_FIGURES:
        await connection.execute(statement, [figures_before])


async def erase_insights(connection: Connection) -> None:
    """Delete every count and every figure: the service has ended."""
    for table in (*_COUNTS, "counted_day", "release", "effective_rate"):
        await connection.execute(f"DELETE FROM analytics.{table}")  # noqa: S608 - names of ours
