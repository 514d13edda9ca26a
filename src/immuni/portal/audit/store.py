"""The tables of the audit trail, in SQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.audit.chain import ChainEnd, StoredEvent

_BATCH: Final = 1000
_STATE: Final = """
    SELECT last_id, mac, key_id, events, head_number, head_at,
        (SELECT statement FROM audit_checkpoint ORDER BY last_id DESC LIMIT 1)
    FROM audit_head WHERE authority_id = 1
"""
_LOCK: Final = """
    SELECT last_id, mac, key_id, events FROM audit_head WHERE authority_id = 1 FOR UPDATE
"""
# Instants that Python cannot hold were never written by the portal.
_EVENTS: Final = """
    SELECT id, authority_id,
        CASE WHEN at BETWEEN '0002-01-01 UTC' AND '9998-12-31 UTC' THEN at END,
        account_id, action, outcome, subject, detail::text, key_id, mac
    FROM audit_event WHERE id > %s AND id <= %s ORDER BY id
"""
_OLD: Final = """
    SELECT max(id) FROM (
        SELECT id, mac, bool_and(at < %s) OVER (ORDER BY id) AS is_old
        FROM (SELECT * FROM audit_event WHERE id > %s ORDER BY id LIMIT %s) AS first
    ) AS looked_at WHERE is_old AND mac IS NOT NULL
"""
EVERYTHING: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailState:
    """What the database says of the trail as a whole.

    Attributes:
        end: Where the chain ends; None where it was not begun.
        head_number: How many heads were signed.
        head_at: When the last of them was.
        checkpoint: The last statement about purged events, as it was signed; None where there is
            none.
    """

    end: ChainEnd | None
    head_number: int
    head_at: datetime | None
    checkpoint: str | None


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """Lend a transaction that sees one moment of the trail and changes nothing."""
    async with pool.connection() as connection:
        await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


async def read_state(connection: AsyncConnection[TupleRow]) -> TrailState:
    """Return what the database says; where its row is gone, as of a trail that was not begun."""
    row = await (await connection.execute(_STATE)).fetchone()
    if row is None:
        return TrailState(end=None, head_number=0, head_at=None, checkpoint=None)
    return TrailState(end=_end(row), head_number=row[4], head_at=row[5], checkpoint=row[6])


async def lock_end(connection: AsyncConnection[TupleRow]) -> ChainEnd | None:
    """Return the end of the trail, and keep others from appending until the transaction ends.

    Returns:
        None where the trail has not been chained so far.
    """
    row = await (await connection.execute(_LOCK)).fetchone()
    return None if row is None else _end(row)


async def count_head(connection: AsyncConnection[TupleRow], *, number: int, now: datetime) -> bool:
    """Note that head `number` is being signed; False where somebody else has signed it."""
    cursor = await connection.execute(
        "UPDATE audit_head SET head_number = %s, head_at = %s"
        " WHERE authority_id = 1 AND head_number = %s",
        [number, now, number - 1],
    )
    return cursor.rowcount == 1


async def oldest_at(connection: AsyncConnection[TupleRow]) -> datetime | None:
    """Return when the first event was that is still kept."""
    cursor = await connection.execute("SELECT at FROM audit_event ORDER BY id LIMIT 1")
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def last_before(
    connection: AsyncConnection[TupleRow], *, limit: datetime, after: int, at_most: int
) -> int | None:
    """Return the last event up to which all are from before an instant.

    Args:
        connection: To the portal's database.
        limit: The instant.
        after: The last event that was purged.
        at_most: How many events are looked at.
    """
    row = await (await connection.execute(_OLD, [limit, after, at_most])).fetchone()
    return None if row is None else row[0]


async def purge_through(
    connection: AsyncConnection[TupleRow], end: ChainEnd, statement: str
) -> None:
    """Delete the events up to `end`, with the signed statement that says so."""
    await connection.execute("SELECT purge_audit(%s, %s, %s)", [end.last_id, end.mac, statement])


async def stored_events(
    connection: AsyncConnection[TupleRow], *, after: int, through: int = EVERYTHING
) -> AsyncIterator[StoredEvent]:
    """Yield events in their order, a thousand at a time."""
    async with connection.cursor(name="audit_events") as cursor:
        cursor.itersize = _BATCH
        await cursor.execute(_EVENTS, [after, through])
        async for row in cursor:
            yield event_of(row)


def event_of(row: TupleRow) -> StoredEvent:
    """Return the event that a row of all columns tells of."""
    id_, authority_id, at, account_id, action, outcome, subject, detail, key_id, mac = row
    return StoredEvent(
        id=id_,
        authority_id=authority_id,
        at=at,
        account_id=account_id,
        action=action,
        outcome=outcome,
        subject=subject,
        detail=detail,
        key_id=key_id,
        mac=mac,
    )


def _end(row: TupleRow) -> ChainEnd | None:
    if row[1] is None:
        return None
    return ChainEnd(last_id=row[0], mac=row[1], key_id=row[2], events=row[3])
