"""Appending to the audit trail."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.database.grouping import Grouped
from immuni.errors import ImmuniError
from immuni.portal.audit.chain import BEGINNING, ChainEnd, StoredEvent, code_of, extended
from immuni.portal.audit.events import Event
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.store import lock_end, stored_events

_APPEND: Final = """
    WITH head AS (
        UPDATE audit_head SET last_id = %(last_id)s, mac = %(last_mac)s, key_id = %(last_key_id)s,
            events = %(events)s
        WHERE authority_id = %(authority)s
    )
    INSERT INTO audit_event
        (id, authority_id, at, account_id, action, outcome, subject, detail, key_id, mac)
    SELECT * FROM unnest(%(id)s::bigint[], %(authority_id)s::smallint[], %(at)s::timestamptz[],
        %(account_id)s::bigint[], %(action)s::text[], %(outcome)s::text[], %(subject)s::text[],
        %(detail)s::jsonb[], %(key_id)s::text[], %(mac)s::bytea[])
"""
_COLUMNS: Final = [each.name for each in fields(StoredEvent)]
AUTHORITY: Final = 1
"""The one authority that there is."""


class AuditKeyReplacedError(ImmuniError, RuntimeError):
    """Another process goes on under a newer key that this one does not have; nothing was done."""


class AuditTrail:
    """The one way by which events get into the trail."""

    def __init__(self, pool: Pool, keys: AuditKeys) -> None:
        """Keep the pool, which whoever opened it closes, and what chains the trail."""
        self._pool = pool
        self._keys = keys
        # One group at a time: the next would do nothing but wait for the head.
        self._record: Grouped[Event, None] = Grouped(self._record_together, max_groups=1)

    async def append(self, connection: AsyncConnection[TupleRow], *events: Event) -> None:
        """Append events in the transaction of what they tell of: both happen, or neither.

        It comes last in its transaction, since everybody who appends waits for its end.

        Raises:
            AuditKeyReplacedError: This process was started with keys that were replaced since.
        """
        end = await lock_end(connection) or await self._adopted(connection)
        if end.key_id is not None and end.key_id not in self._keys.secrets:
            raise AuditKeyReplacedError(
                f"the audit trail goes on under {end.key_id}, which is not among the audit_keys"
            )
        chained: list[StoredEvent] = []
        for event in events:
            stored, end = self._next(end, event)
            chained.append(stored)
        columns = {name: [getattr(each, name) for each in chained] for name in _COLUMNS}
        head = {"last_id": end.last_id, "last_mac": end.mac, "last_key_id": end.key_id}
        await connection.execute(
            _APPEND, {**columns, **head, "events": end.events, "authority": AUTHORITY}
        )

    async def record(self, event: Event) -> None:
        """Append an event that tells of nothing else in the database, and wait until it is kept.

        Those that come while others are being written share a transaction, and so one turn at the
        head and one write to the disk. If one of them cannot be stored, the others are.

        Raises:
            AuditKeyReplacedError: As for `append`.
            OperationalError: The database does not answer; whether it was kept nobody knows.
        """
        await self._record(event)

    async def _record_together(self, events: Sequence[Event]) -> Sequence[None]:
        async with self._pool.connection() as connection:
            await self.append(connection, *events)
        return [None] * len(events)

    def _next(self, end: ChainEnd, event: Event) -> tuple[StoredEvent, ChainEnd]:
        """Return an event as it is stored, and where the chain ends behind it."""
        key_id = self._keys.current_id
        stored = StoredEvent(
            id=end.last_id + 1,
            authority_id=AUTHORITY,
            at=event.at,
            account_id=event.account_id,
            action=event.action,
            outcome=event.outcome,
            subject=event.subject,
            detail=json.dumps(dict(event.detail)),
            key_id=key_id,
        )
        mac = code_of(self._keys.secrets[key_id], end.mac, stored)
        after = ChainEnd(last_id=stored.id, mac=mac, key_id=key_id, events=end.events + 1)
        return replace(stored, mac=mac), after

    async def _adopted(self, connection: AsyncConnection[TupleRow]) -> ChainEnd:
        """Return the end of what was there before the chain, which begins now."""
        end = BEGINNING
        async for event in stored_events(connection, after=0):
            end = extended(end, event, self._keys)
        return end
