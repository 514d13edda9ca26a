"""True counts, the budget and the published cells in the analytics database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.analytics.opendata.cells import Cell, OpenData
from immuni.database import Pool

Connection = AsyncConnection[TupleRow]
_LAST_COUNTED: Final = "SELECT max(day) FROM analytics.counted_day"
_COUNTS: Final = """
    SELECT province, platform, kind, sum(reports)::bigint FROM analytics.report_count
    WHERE day >= %s AND day < %s::date + interval '1 month' GROUP BY province, platform, kind
"""
_CHARGE: Final = """
    INSERT INTO analytics.privacy_budget (month, epsilon, charged_on) VALUES (%s, %s, %s)
"""
_KEEP: Final = """
    INSERT INTO analytics.open_cell (month, place, platform, kind, reports)
    VALUES (%s, %s, %s, %s, %s)
"""
_CHARGES: Final = """
    SELECT month, epsilon, charged_on,
           EXISTS (SELECT FROM analytics.open_cell WHERE open_cell.month = privacy_budget.month)
    FROM analytics.privacy_budget ORDER BY month
"""
_CELLS: Final = "SELECT place, platform, kind, reports FROM analytics.open_cell WHERE month = %s"


@dataclass(frozen=True, slots=True)
class Charge:
    """What the open data of a month cost.

    Attributes:
        is_published: Whether there are any; if not, the release ended between charge and result,
            and there never will be.
    """

    month: date
    epsilon: float
    charged_on: date
    is_published: bool


async def last_counted(connection: Connection) -> date | None:
    """Return the last day that was counted; all before it were as well."""
    row = await (await connection.execute(_LAST_COUNTED)).fetchone()
    return row[0] if row else None


async def true_counts(connection: Connection, month: date) -> dict[Cell, int]:
    """Return the reports of a month, of cells that have any."""
    return {Cell(*row[:3]): row[3] async for row in await connection.execute(_COUNTS, [month] * 2)}


async def charge(connection: Connection, month: date, epsilon: float, today: date) -> None:
    """Charge a month, for good; the connection commits by itself."""
    await connection.execute(_CHARGE, [month, epsilon, today])


async def keep(connection: Connection, month: date, reports: Mapping[Cell, int]) -> None:
    """Keep what is published of a month: every cell, or none."""
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(_KEEP, [(month, *cell, count) for cell, count in reports.items()])


async def charges(connection: Connection) -> list[Charge]:
    """Return what was charged, month by month."""
    return [Charge(*row) async for row in await connection.execute(_CHARGES)]


async def published(connection: Connection, charged: Charge) -> OpenData:
    """Return what was published of a month."""
    cursor = await connection.execute(_CELLS, [charged.month])
    reports = {Cell(*row[:3]): row[3] async for row in cursor}
    return OpenData(charged.month, charged.epsilon, charged.charged_on, reports)


async def budget(pool: Pool) -> list[Charge]:
    """Return what open data have cost so far."""
    async with pool.connection() as connection:
        return await charges(connection)
