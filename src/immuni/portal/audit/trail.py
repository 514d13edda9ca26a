"""Appending to the audit trail."""

from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from immuni.database import Pool
from immuni.portal.audit.events import Event

_APPEND: Final = """
    INSERT INTO audit_event (at, account_id, action, outcome, subject, detail)
    VALUES (%s, %s, %s, %s, %s, %s)
"""


class AuditTrail:
    """The one way by which events get into the trail."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def append(self, connection: AsyncConnection[TupleRow], event: Event) -> None:
        """Append an event in the transaction of what it tells of: both happen, or neither.

        It comes last in its transaction, since everybody who appends waits for its end.
        """
        await connection.execute(
            _APPEND,
            [
                event.at,
                event.account_id,
                event.action,
                event.outcome,
                event.subject,
                Jsonb(dict(event.detail)),
            ],
        )

    async def record(self, event: Event) -> None:
        """Append an event in a transaction of its own."""
        async with self._pool.connection() as connection:
            await self.append(connection, event)
