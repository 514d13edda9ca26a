"""Deletes what is past its time, in small pieces that hold nobody up.

Source:
    Publishing, "Retention".
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

from psycopg.sql import SQL

from immuni.backend.analytics.days import purge as purge_analytics
from immuni.backend.analytics.deliveries import forget_deliveries_except
from immuni.backend.analytics.devicecheck.store import purge_authorisations
from immuni.backend.analytics.insights.store import erase_insights, purge_insights
from immuni.backend.chunks import ChunkName, ChunkStore
from immuni.backend.connections import PoolOpener
from immuni.backend.publishing.rules import KEY_USEFUL_FOR
from immuni.backend.publishing.store import CHANNEL, PublishingStore
from immuni.backend.reporting.rules import INDEX_MAX_AGE
from immuni.backend.retention import RetentionSettings
from immuni.database import Pool
from immuni.errors import ImmuniError
from immuni.keys import interval_at
from immuni.telemetry import logger

_Part: TypeAlias = Callable[[], Awaitable[int]]
PIECE: Final = 1000
"""How many rows one transaction deletes at most."""
_AUTHORISED_WITHIN: Final = timedelta(hours=1)
"""Long after an authorisation of an analytics token has ended, if anybody works on it."""
COUNTS_KEPT: Final = timedelta(days=62)
"""Counts of two whole months; they go with the month after, unless nobody closes it."""
_LAST_INTERVAL: Final = 2**31 - 1
_DELETE: Final = """
    DELETE FROM ingestion.{table} WHERE id IN
        (SELECT id FROM ingestion.{table} WHERE {column} <= %s LIMIT %s)
"""
_DELETE_COUNTERS: Final = "DELETE FROM ingestion.daily_counter WHERE day < %s"
_DELETE_KEYS: Final = SQL("""
    DELETE FROM publishing.key WHERE key_data IN
        (SELECT key_data FROM publishing.key WHERE chunk_index = %s LIMIT %s)
""")
_DELETE_ANY_KEYS: Final = SQL("""
    DELETE FROM publishing.key WHERE key_data IN
        (SELECT key_data FROM publishing.key WHERE chunk_index <= %s LIMIT %s)
""")
_LAST_INDEX: Final = 2**63 - 1
_log = logger("purging")


class PurgeIncompleteError(ImmuniError, RuntimeError):
    """Some kinds could not be deleted, which the message names; all others were."""


class PublisherAtWorkError(ImmuniError, RuntimeError):
    """A publisher may be writing a chunk; no chunk was deleted."""


@dataclass(frozen=True, slots=True)
class Purged:
    """How much of each kind was deleted."""

    otps: int = 0
    uploads: int = 0
    outbox: int = 0
    counters: int = 0
    analytics: int = 0
    chunks: int = 0

    def figures(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)


async def purge(
    pool: Pool,
    open_analytics: PoolOpener,
    chunks: ChunkStore,
    *,
    settings: RetentionSettings,
    now: datetime,
) -> Purged:
    """Delete everything that is past its time, each kind whatever becomes of the others.

    Codes go once they have expired, used or not. An upload that waits goes when its youngest key
    is of no use to any phone: until then it is published first. What the analytics database did
    not take over in all that time goes as well. Counters of codes go by the day, with analytics.
    Chunks go together with their keys, one cache lifetime after their time, so that no phone misses
    one that it was just told of.

    Args:
        pool: Connections of the jobs' role to the services' database.
        open_analytics: Opens connections of the Analytics Service's role to its own.
        chunks: The chunk files.
        settings: For how long things are kept.
        now: The moment by which they are.

    Raises:
        PurgeIncompleteError: A database or the store did not answer. A chunk file that was left
            behind is removed by the next run of publishing.
    """
    cutoff = now - settings.retention
    useless = now - min(settings.retention, KEY_USEFUL_FOR)
    first_day = (now - settings.analytics_retention).date()

    async def analytics() -> int:
        async with open_analytics() as theirs:
            await purge_authorisations(theirs, before=(now - _AUTHORISED_WITHIN).date())
            async with theirs.connection() as connection:
                await purge_insights(
                    connection,
                    counts_before=(now - COUNTS_KEPT).date(),
                    figures_before=(now - settings.figures_retention).date(),
                )
            return await purge_analytics(theirs, before=first_day, today=now.date())

    return await _purge_each(
        {
            "otps": lambda: _delete(pool, "otp", "expires_at", now),
            "uploads": lambda: _delete(pool, "upload", "last_end", interval_at(useless)),
            "outbox": lambda: _delete(pool, "outbox", "received_on", cutoff.date()),
            "counters": lambda: _delete_counters(pool, first_day),
            "analytics": analytics,
            "chunks": lambda: _delete_chunks(pool, chunks, cutoff - INDEX_MAX_AGE),
        }
    )


async def purge_everything(pool: Pool, open_analytics: PoolOpener, chunks: ChunkStore) -> Purged:
    """Delete everything that is kept of people, whatever its age: the service has ended.

    May be stopped anywhere and run again. What remains is how far the numbers of chunks had come.

    Raises:
        PurgeIncompleteError: A database or the store did not answer, or a publisher was still at
            work; the next run deletes the rest.
    """

    async def analytics() -> int:
        async with open_analytics() as theirs:
            await forget_deliveries_except(theirs, [])
            await purge_authorisations(theirs, before=date.max)
            async with theirs.connection() as connection:
                await erase_insights(connection)
            return await purge_analytics(theirs, before=date.max, today=date.max)

    return await _purge_each(
        {
            "otps": lambda: _delete(pool, "otp", "expires_at", "infinity"),
            "uploads": lambda: _delete(pool, "upload", "last_end", _LAST_INTERVAL),
            "outbox": lambda: _delete(pool, "outbox", "received_on", "infinity"),
            "counters": lambda: _delete_counters(pool, "infinity"),
            "analytics": analytics,
            "chunks": lambda: _delete_all_chunks(pool, chunks),
        }
    )


async def _delete_all_chunks(pool: Pool, chunks: ChunkStore) -> int:
    """Delete every chunk, and every file that an interrupted publisher left behind."""
    async with PublishingStore(pool).exclusive() as session:
        if session is None:
            raise PublisherAtWorkError("a publisher is at work")
        total = await _delete_chunks(pool, chunks, "infinity")
        await _delete_pieces(pool, _DELETE_ANY_KEYS, _LAST_INDEX)
        for name in await chunks.names():
            await chunks.delete(name)
        return total


async def _purge_each(parts: Mapping[str, _Part]) -> Purged:
    """Delete each kind, and tell at the end of all that failed."""
    deleted: dict[str, int] = {}
    errors: dict[str, Exception] = {}
    for kind, delete in parts.items():
        try:
            deleted[kind] = await delete()
        except Exception as error:  # noqa: BLE001 - it is raised below, once the others had their turn
            errors[kind] = error
    purged = Purged(**deleted)
    if errors:
        # Kinds of errors only: a database's message may quote a key.
        failed = ", ".join(f"{kind}: {type(error).__name__}" for kind, error in errors.items())
        _log.error("purge_incomplete", failed=failed, **purged.figures())
        raise PurgeIncompleteError(f"not purged: {failed}") from ExceptionGroup(
            "purging", list(errors.values())
        )
    return purged


async def _delete(pool: Pool, table: str, column: str, limit: object) -> int:
    """Delete the rows of `table` that reached `limit`, piece by piece."""
    return await _delete_pieces(pool, SQL(_DELETE.format(table=table, column=column)), limit)


async def _delete_pieces(pool: Pool, statement: SQL, limit: object) -> int:
    """Repeat `statement`, each time in a transaction of its own, until it finds no full piece."""
    total, piece = 0, PIECE
    while piece == PIECE:
        async with pool.connection() as connection:
            piece = (await connection.execute(statement, [limit, PIECE])).rowcount
        total += piece
    return total


async def _delete_counters(pool: Pool, first_day: object) -> int:
    """Delete the counters of the days before one: a handful of rows for each."""
    async with pool.connection() as connection:
        return (await connection.execute(_DELETE_COUNTERS, [first_day])).rowcount


async def _delete_chunks(pool: Pool, chunks: ChunkStore, cutoff: object) -> int:
    """Delete the chunks whose window ended by `cutoff`, with their keys and their files.

    First the keys, piece by piece: none of them can be published again, for each was of no use to
    any phone before its chunk was. Then the row, so that no index can name the chunk; then the
    file. Stopped anywhere, the next run goes on.
    """
    total = 0
    while (index := await _oldest_chunk(pool, cutoff)) is not None:
        await _delete_pieces(pool, _DELETE_KEYS, index)
        name = await _withdraw_chunk(pool, index)
        if name is not None:
            await chunks.delete(name)
            total += 1
    return total


async def _oldest_chunk(pool: Pool, cutoff: object) -> int | None:
    """Return the number of the oldest chunk whose window ended by then."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT index FROM publishing.chunk WHERE window_end <= %s ORDER BY index LIMIT 1",
            [cutoff],
        )
        row = await cursor.fetchone()
    return None if row is None else row[0]


async def _withdraw_chunk(pool: Pool, index: int) -> ChunkName | None:
    """Delete a chunk's row and tell the services; None where another purge was faster."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "DELETE FROM publishing.chunk WHERE index = %s RETURNING index, digest", [index]
        )
        row = await cursor.fetchone()
        if row is None:
            return None
        await connection.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        return ChunkName(*row)
