"""What analytics keeps, in a database of its own.

No table has a sequence, an id or a time finer than a day.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from immuni.api import MalformedRequestError
from immuni.backend.analytics.rules import OperationalRecord
from immuni.backend.epidemiological import open_epidemiological
from immuni.backend.sealing import OpeningKey, Sealed, UnsealableError
from immuni.database import Pool
from immuni.telemetry import logger

_RECEIVE: Final = """
    INSERT INTO analytics.received (id) SELECT unnest(%s::uuid[])
    ON CONFLICT DO NOTHING RETURNING id
"""
_KEEP_EPIDEMIOLOGICAL: Final = """
    INSERT INTO analytics.epidemiological_info (received_on, province, onset, summaries)
    VALUES (%s, %s, %s, %s)
"""
_SHUFFLE: Final = """
    WITH taken AS (
        DELETE FROM analytics.epidemiological_info WHERE received_on >= least(
            %s, (SELECT max(received_on) FROM analytics.epidemiological_info) - 1
        ) RETURNING *
    )
    INSERT INTO analytics.epidemiological_info SELECT * FROM taken ORDER BY gen_random_uuid()
"""
_FORGET: Final = "DELETE FROM analytics.received WHERE id = ANY(%s)"
_FORGET_OTHERS: Final = "DELETE FROM analytics.received WHERE id <> ALL(%s)"
_KEEP_OPERATIONAL: Final = """
    INSERT INTO analytics.operational_info
        (received_on, platform, province, exposure_permission, bluetooth_active,
         notification_permission, exposure_notification, last_risky_exposure_on, build)
    VALUES
        (%(received_on)s, %(platform)s, %(province)s, %(exposure_permission)s, %(bluetooth_active)s,
         %(notification_permission)s, %(exposure_notification)s, %(last_risky_exposure_on)s,
         %(build)s)
"""
# There is no id to name a row by; its place does for as long as one statement lasts.
_PURGES: Final = tuple(
    SQL(
        f"""
        DELETE FROM analytics.{table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM analytics.{table} WHERE received_on < %s LIMIT %s))
        """  # noqa: S608 - the names are those of the line below
    )
    for table in ("epidemiological_info", "operational_info")
)
_PURGED_AT_ONCE: Final = 1000
_log = logger("analytics")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of ingestion's outbox.

    Attributes:
        id: Random, known to the outbox and to this delivery only.
        sealed: The Epidemiological Info of one or several uploads, sealed to the analytics key.
        received_on: Day of the upload, in UTC.
    """

    id: UUID
    sealed: Sealed
    received_on: date


async def keep_epidemiological(
    pool: Pool, deliveries: Sequence[Delivery], key: OpeningKey
) -> list[UUID]:
    """Keep Epidemiological Info, each delivery exactly once however often it is brought.

    Rows are written in the order of their random ids, which says nothing about that of the uploads.

    Args:
        pool: The analytics database.
        deliveries: One batch.
        key: Opens them. Those that it does not open are logged and left where they are: the right
            key may come back, and retention deletes them at last.

    Returns:
        Ids of the deliveries that are done with, now or earlier: delete them from the outbox, then
        let `forget_deliveries` forget them here.
    """
    opened = {each.id: rows for each in deliveries if (rows := _rows(each, key)) is not None}
    if len(opened) < len(deliveries):
        _log.error("deliveries_unreadable", count=len(deliveries) - len(opened))
    async with pool.connection() as connection, connection.cursor() as cursor:
        await cursor.execute(_RECEIVE, (list(opened),))
        new = sorted(row[0] for row in await cursor.fetchall())
        rows = [row for each in new for row in opened[each]]
        await cursor.executemany(_KEEP_EPIDEMIOLOGICAL, rows)
    return list(opened)


async def shuffle_epidemiological(pool: Pool, *, since: date) -> None:
    """Write the rows of the last two days, and of all days from `since` on, anew in random order.

    Privacy:
        Batches come hour by hour. Their rows' places and hidden columns would tell which hour each
        is of, and chunks tell of which hours their keys are. In one transaction all look the same.
    """
    async with pool.connection() as connection:
        await connection.execute(_SHUFFLE, (since,))


async def forget_deliveries(pool: Pool, ids: Collection[UUID]) -> None:
    """Forget that deliveries were received; their rows in the outbox must be gone."""
    async with pool.connection() as connection:
        await connection.execute(_FORGET, (list(ids),))


async def forget_deliveries_except(pool: Pool, waiting: Collection[UUID]) -> None:
    """Forget what a mover that was killed left behind: all ids but those still in the outbox."""
    async with pool.connection() as connection:
        await connection.execute(_FORGET_OTHERS, (list(waiting),))


async def keep_operational(pool: Pool, record: OperationalRecord) -> None:
    """Keep one report, durably."""
    async with pool.connection() as connection:
        await connection.execute(_KEEP_OPERATIONAL, asdict(record))


async def purge(pool: Pool, *, before: date) -> int:
    """Delete what was received before a day, piece by piece, and return the number of rows."""
    total = 0
    for statement in _PURGES:
        piece = _PURGED_AT_ONCE
        while piece == _PURGED_AT_ONCE:
            async with pool.connection() as connection:
                cursor = await connection.execute(statement, (before, _PURGED_AT_ONCE))
                piece = cursor.rowcount
            total += piece
    return total


async def probe(connection: AsyncConnection[TupleRow]) -> None:
    """Ask the database for nothing; raises where it does not answer."""
    await connection.execute("SELECT 1")


def _rows(delivery: Delivery, key: OpeningKey) -> list[tuple[object, ...]] | None:
    try:
        infos = open_epidemiological(delivery.sealed, key)
    except (UnsealableError, MalformedRequestError):
        return None
    return [
        (
            delivery.received_on,
            info.province,
            info.onset,
            Jsonb(msgspec.to_builtins(info.summaries)),
        )
        for info in infos
    ]
