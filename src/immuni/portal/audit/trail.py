"""Appending to the audit trail."""

import json
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.errors import ImmuniError
from immuni.portal.audit.chain import BEGINNING, ChainEnd, StoredEvent, code_of, extended
from immuni.portal.audit.events import Event
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.store import lock_end, stored_events

_APPEND: Final = """
    WITH head AS (
        UPDATE audit_head SET last_id = %(id)s, mac = %(mac)s, key_id = %(key_id)s,
            events = %(events)s
        WHERE authority_id = %(authority_id)s
    )
    INSERT INTO audit_event
        (id, authority_id, at, account_id, action, outcome, subject, detail, key_id, mac)
    VALUES (%(id)s, %(authority_id)s, %(at)s, %(account_id)s, %(action)s, %(outcome)s,
        %(subject)s, %(detail)s::jsonb, %(key_id)s, %(mac)s)
"""
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

    async def append(self, connection: AsyncConnection[TupleRow], event: Event) -> None:
        """Append an event in the transaction of what it tells of: both happen, or neither.

        It comes last in its transaction, since everybody who appends waits for its end.

        Raises:
            AuditKeyReplacedError: This process was started with keys that were replaced since.
        """
        end = await lock_end(connection) or await self._adopted(connection)
        if end.key_id is not None and end.key_id not in self._keys.secrets:
            raise AuditKeyReplacedError(
                f"the audit trail goes on under {end.key_id}, which is not among the audit_keys"
            )
        stored = self._next(end, event)
        mac = code_of(self._keys.secrets[self._keys.current_id], end.mac, stored)
        values = {name: getattr(stored, name) for name in StoredEvent.__slots__}
        await connection.execute(_APPEND, values | {"mac": mac, "events": end.events + 1})

    async def record(self, event: Event) -> None:
        """Append an event in a transaction of its own."""
        async with self._pool.connection() as connection:
            await self.append(connection, event)

    def _next(self, end: ChainEnd, event: Event) -> StoredEvent:
        return StoredEvent(
            id=end.last_id + 1,
            authority_id=AUTHORITY,
            at=event.at,
            account_id=event.account_id,
            action=event.action,
            outcome=event.outcome,
            subject=event.subject,
            detail=json.dumps(dict(event.detail)),
            key_id=self._keys.current_id,
        )

    async def _adopted(self, connection: AsyncConnection[TupleRow]) -> ChainEnd:
        """Return the end of what was there before the chain, which begins now."""
        end = BEGINNING
        async for event in stored_events(connection, after=0):
            end = extended(end, event, self._keys)
        return end
