"""What publishing reads and writes in PostgreSQL."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.connections import exclusive
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.packed_keys import StoredKey, pack_keys, stored_keys, unpack_keys
from immuni.backend.publishing.copying import COPY_KEYS, copied_keys
from immuni.backend.publishing.metrics import Waiting
from immuni.backend.publishing.padding import SimulatedUpload
from immuni.backend.publishing.rules import Window
from immuni.database import Pool
from immuni.keys import PackedKeys

CHANNEL: Final = "immuni_chunks"
"""PostgreSQL notifies it with each transaction that changes the chunks."""

# Any constant will do; it must differ from the other locks.
_PUBLISHER_LOCK: Final = 0x7075626C697368
# A chunk has some hundred thousand keys.
_PATIENCE: Final = "SET LOCAL statement_timeout = '5min'"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far publishing has come.

    Attributes:
        newest_index: The last number that a chunk was given, 0 before the first.
        window_end: End of the last window that was published, None before the first.
    """

    newest_index: int
    window_end: datetime | None


@dataclass(frozen=True, slots=True)
class PendingUpload:
    """An upload with keys that are not published yet."""

    id: UUID
    packed_keys: bytes = field(repr=False)
    diagnosis: Diagnosis
    simulated: bool

    @property
    def keys(self) -> Iterator[StoredKey]:
        """The keys, one by one."""
        return unpack_keys(self.packed_keys)


@dataclass(frozen=True, slots=True)
class UsedUpload:
    """An upload whose due keys are published; what still waits stays in its row."""

    id: UUID
    waiting: Sequence[StoredKey] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedChunk:
    """A chunk as the database knows it; the file itself is in the chunk store."""

    index: int
    digest: bytes
    size_bytes: int
    window: Window
    keys: PackedKeys


class PublishingSession:
    """One publisher's work; while it lives, no other publisher works on this database."""

    def __init__(self, connection: AsyncConnection[TupleRow]) -> None:
        """Work on `connection`, which commits each statement and holds the lock."""
        self._connection = connection

    async def progress(self) -> Progress:
        """Return how far publishing has come."""
        cursor = await self._connection.execute(
            "SELECT newest_index, window_end FROM publishing.progress"
        )
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - the migration inserts the row, nobody may delete it
        return Progress(*row)

    async def digests(self) -> dict[int, bytes]:
        """Return the digest of each chunk that phones may ask for, by index."""
        cursor = await self._connection.execute("SELECT index, digest FROM publishing.chunk")
        return dict(await cursor.fetchall())

    async def pending(self, *, after: UUID | None, limit: int) -> list[PendingUpload]:
        """Return a page of the uploads that wait, in the order of their random ids."""
        cursor = await self._connection.execute(
            """
            SELECT id, packed_keys, onset_on, tested_on, simulated FROM ingestion.upload
            WHERE %(after)s::uuid IS NULL OR id > %(after)s ORDER BY id LIMIT %(limit)s
            """,
            {"after": after, "limit": limit},
        )
        return [
            PendingUpload(id_, packed, Diagnosis(onset, test), simulated)
            async for id_, packed, onset, test, simulated in cursor
        ]

    async def waiting(self, last_free_end: int) -> Waiting:
        """Return how many uploads wait, and how many hold no key that ends later than that."""
        cursor = await self._connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE last_end <= %s) FROM ingestion.upload",
            [last_free_end],
        )
        return Waiting(*(await cursor.fetchone() or (0, 0)))

    async def published_among(self, key_data: Sequence[bytes]) -> set[bytes]:
        """Return those of the keys, a chunk's at most, that some chunk already holds."""
        async with self._connection.transaction():
            await self._connection.execute(_PATIENCE)
            # Planned each time: the plan for the empty table of a first run would go on being used
            # while the table fills. In their order the index is walked through once.
            cursor = await self._connection.execute(
                "SELECT key_data FROM publishing.key WHERE key_data = ANY(%b)",
                [sorted(key_data)],
                prepare=False,
            )
            return {row[0] async for row in cursor}

    async def release(
        self,
        chunk: PublishedChunk,
        *,
        used: Sequence[UsedUpload] = (),
        leftovers: Sequence[SimulatedUpload] = (),
        origin: str,
        now: datetime,
    ) -> None:
        """Publish: mark the keys, name the chunk in the index and use up the uploads, or nothing.

        Args:
            chunk: A chunk whose file is durable in the store.
            used: The uploads that its keys come from.
            leftovers: Keys of simulated people that wait like real ones.
            origin: Country in which the keys were uploaded.
            now: The day of receipt of the simulated people.

        Raises:
            psycopg.errors.UniqueViolation: A key or the index was published before.
        """
        async with self._connection.transaction():
            await self._connection.execute(_PATIENCE)
            await self._insert_chunk(chunk)
            await self._insert_keys(chunk, origin)
            await self._use_up(used)
            await self._keep(leftovers, now)
            await self._connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])

    async def drop_published(self, used: Sequence[UsedUpload]) -> None:
        """Use up uploads whose due keys were published before, from other uploads."""
        async with self._connection.transaction():
            await self._use_up(used)

    async def _insert_chunk(self, chunk: PublishedChunk) -> None:
        await self._connection.execute(
            """
            INSERT INTO publishing.chunk
                (index, digest, size_bytes, key_count, window_start, window_end)
            VALUES (%s, %s, %s, %s, %s, %s)
            """,
            [
                chunk.index,
                chunk.digest,
                chunk.size_bytes,
                len(chunk.keys),
                chunk.window.start,
                chunk.window.end,
            ],
        )
        await self._connection.execute(
            """
            UPDATE publishing.progress
            SET newest_index = greatest(newest_index, %s), window_end = greatest(window_end, %s)
            """,
            [chunk.index, chunk.window.end],
        )

    async def _insert_keys(self, chunk: PublishedChunk, origin: str) -> None:
        async with self._connection.cursor() as cursor, cursor.copy(COPY_KEYS) as copy:
            for block in copied_keys(chunk.keys, index=chunk.index, origin=origin):
                await copy.write(block)

    async def _use_up(self, used: Sequence[UsedUpload]) -> None:
        spent = [upload.id for upload in used if not upload.waiting]
        rest = [upload for upload in used if upload.waiting]
        await self._connection.execute("DELETE FROM ingestion.upload WHERE id = ANY(%s)", [spent])
        await self._connection.execute(
            """
            UPDATE ingestion.upload SET packed_keys = rest.packed_keys
            FROM unnest(%s::uuid[], %s::bytea[]) AS rest (id, packed_keys)
            WHERE upload.id = rest.id
            """,
            [[each.id for each in rest], [pack_keys(each.waiting) for each in rest]],
        )

    async def _keep(self, leftovers: Sequence[SimulatedUpload], now: datetime) -> None:
        async with self._connection.cursor() as cursor:
            await cursor.executemany(
                """
                INSERT INTO ingestion.upload
                    (packed_keys, onset_on, tested_on, received_on, last_end, simulated)
                VALUES (%s, %s, %s, %s, %s, true)
                """,
                [
                    (
                        pack_keys(stored_keys(upload.teks)),
                        upload.diagnosis.onset_on,
                        upload.diagnosis.tested_on,
                        now.date(),
                        max(tek.rolling_end_number for tek in upload.teks),
                    )
                    for upload in leftovers
                ],
            )


class PublishingStore:
    """The tables of publishing."""

    def __init__(self, pool: Pool) -> None:
        """Use connections of `pool`, which must not lead through a pooler of transactions."""
        self._pool = pool

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[PublishingSession | None]:
        """Open the one publisher's session; None while another publisher has it."""
        async with exclusive(self._pool, _PUBLISHER_LOCK) as connection:
            yield None if connection is None else PublishingSession(connection)


async def withdraw_all(connection: AsyncConnection[TupleRow]) -> int:
    """Forget every chunk, because the files are lost, and return how many there were.

    The index names no chunk behind one that cannot be read: until the last lost one had expired,
    phones would hear of nothing new. Numbers go on from where they are.
    """
    withdrawn = (await connection.execute("DELETE FROM publishing.chunk")).rowcount
    await connection.execute("DELETE FROM publishing.key")
    await connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])
    return withdrawn
