"""Carries Epidemiological Info from ingestion's outbox to the analytics database.

Two databases share no transaction. So a row is first kept there together with its random id, then
deleted here, then its id is forgotten there: wherever it stops, going on keeps each row once.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.analytics.days import shuffle_epidemiological
from immuni.backend.analytics.deliveries import (
    Delivery,
    forget_deliveries,
    forget_deliveries_except,
    keep_epidemiological,
)
from immuni.backend.connections import PoolOpener, exclusive
from immuni.backend.sealing import OpeningKey, Sealed
from immuni.database import Pool

# Any constant will do; it must differ from the other locks.
_OUTBOX_LOCK: Final = 0x6F7574626F78
_PIECE: Final = 1000


class OutboxMetrics:
    """Tells how much waits, in tens: smaller numbers could tell of single people."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register in `registry`; nobody reads the figure where there is none."""
        self._waiting = Gauge(
            "immuni_outbox_waiting",
            "Sealed rows that a run of the outbox left where they were, rounded down to tens.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    def tell(self, waiting: int) -> None:
        """Tell how many rows a run left."""
        self._waiting.set(waiting - waiting % 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """The way from one database to the other.

    Attributes:
        pool: Connections of the jobs' role to the services' database.
        open_analytics: Opens connections of the Analytics Service's role to its own, for each move
            anew.
        opening_key: Opens what ingestion sealed.
        metrics: Told what a run leaves.
    """

    pool: Pool
    open_analytics: PoolOpener
    opening_key: OpeningKey = field(repr=False)
    metrics: OutboxMetrics = field(default_factory=OutboxMetrics)

    async def move(self) -> int:
        """Move everything that lies in the outbox; return how much that was.

        Rows go in the order of their random ids, which says nothing about that of the uploads; at
        the end those of the last days are shuffled, so that no batch stands out.
        While another mover is at work, nothing is done.

        Raises:
            DatabaseUnreachableError: The analytics database does not answer; every row waits.
        """
        async with exclusive(self.pool, _OUTBOX_LOCK) as connection:
            if connection is None:
                return 0
            try:
                async with self.open_analytics() as analytics:
                    return await self._move_between(connection, analytics)
            finally:
                # Whatever was in the way: what waits is the alarm.
                self.metrics.tell(len(await _waiting(connection)))

    async def _move_between(self, here: AsyncConnection[TupleRow], there: Pool) -> int:
        moved = 0
        days: set[date] = set()
        last_id: UUID | None = None
        await forget_deliveries_except(there, await _waiting(here))
        while piece := await _read(here, last_id):
            done = await keep_epidemiological(there, piece, self.opening_key)
            await _delete(here, done)
            await forget_deliveries(there, done)
            moved += len(done)
            days |= {each.received_on for each in piece}
            last_id = piece[-1].id
        if moved:
            await shuffle_epidemiological(there, since=min(days))
        return moved


async def _waiting(connection: AsyncConnection[TupleRow]) -> list[UUID]:
    cursor = await connection.execute("SELECT id FROM ingestion.outbox")
    return [row[0] for row in await cursor.fetchall()]


async def _read(connection: AsyncConnection[TupleRow], after: UUID | None) -> list[Delivery]:
    cursor = await connection.execute(
        """
        SELECT id, key_id, sealed, received_on FROM ingestion.outbox
        WHERE %(after)s::uuid IS NULL OR id > %(after)s ORDER BY id LIMIT %(limit)s
        """,
        {"after": after, "limit": _PIECE},
    )
    return [
        Delivery(id_, Sealed(key_id, sealed), received_on)
        async for id_, key_id, sealed, received_on in cursor
    ]


async def _delete(connection: AsyncConnection[TupleRow], ids: Collection[UUID]) -> None:
    await connection.execute("DELETE FROM ingestion.outbox WHERE id = ANY(%s)", [list(ids)])
