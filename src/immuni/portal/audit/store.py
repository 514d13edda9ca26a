"""The tables of the audit trail, read in SQL."""

from collections.abc import AsyncIterator
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.portal.audit.chain import ChainEnd, StoredEvent

_BATCH: Final = 1000
_LOCK: Final = """
    SELECT last_id, mac, key_id, events FROM audit_head WHERE authority_id = 1 FOR UPDATE
"""
# Instants that Python cannot hold were never written by the portal.
_EVENTS: Final = """
    SELECT id, authority_id,
        CASE WHEN at BETWEEN '0002-01-01 UTC' AND '9998-12-31 UTC' THEN at END,
        account_id, action, outcome, subject, detail::text, key_id, mac
    FROM audit_event WHERE id > %s ORDER BY id
"""


async def lock_end(connection: AsyncConnection[TupleRow]) -> ChainEnd | None:
    """Return the end of the trail, and keep others from appending until the transaction ends.

    Returns:
        None where the trail has not been chained so far.
    """
    row = await (await connection.execute(_LOCK)).fetchone()
    if row is None or row[1] is None:
        return None
    last_id, mac, key_id, events = row
    return ChainEnd(last_id=last_id, mac=mac, key_id=key_id, events=events)


async def stored_events(
    connection: AsyncConnection[TupleRow], *, after: int
) -> AsyncIterator[StoredEvent]:
    """Yield the events behind one, in their order, a thousand at a time."""
    async with connection.cursor(name="audit_events") as cursor:
        cursor.itersize = _BATCH
        await cursor.execute(_EVENTS, [after])
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
