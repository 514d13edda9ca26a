"""Purging a large backlog: in small pieces, in nobody's way, and to the end after being killed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Final, LiteralString

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from immuni.backend.errors import UnavailableError
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.ingestion.store import Grant, IngestionStore, Redemption
from immuni.backend.jobs import Parts
from immuni.backend.purging import PIECE, Purged, PurgeIncompleteError, purge
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from immuni.otp import OtpHash
from tests.publishing import NOW, OTP_KEYS, Press, keep_upload, keys_of_days

TODAY = NOW.date()
ILL = Diagnosis(TODAY - timedelta(days=4), None)
LATER = NOW + timedelta(days=40)
KEYS: Final = 300_000
_GATE: Final = 4711
_TABLES: Final = [
    ("ingestion", "otp"),
    ("ingestion", "upload"),
    ("ingestion", "outbox"),
    ("publishing", "key"),
    ("publishing", "chunk"),
]

pytestmark = pytest.mark.anyio


def backlog(database: ServicesDatabase, *, keys: int) -> None:
    """Have things of every kind that are past their time."""
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            """
            INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)
            SELECT 'k', sha256(n::text::bytea), %(day)s, %(now)s, %(now)s + interval '1 second'
            FROM generate_series(1, 2500) AS n
            """,
            {"day": TODAY, "now": NOW},
        )
        connection.execute(
            """
            INSERT INTO ingestion.upload (packed_keys, onset_on, received_on, last_end)
            SELECT decode(repeat('00', 22), 'hex'), %(day)s, %(day)s, 0
            FROM generate_series(1, 2500)
            """,
            {"day": TODAY},
        )
        connection.execute(
            """
            INSERT INTO ingestion.outbox (key_id, sealed, received_on)
            SELECT 'k', '', %(day)s FROM generate_series(1, 2500)
            """,
            {"day": TODAY},
        )
        connection.execute(
            """
            INSERT INTO publishing.key
            SELECT substr(sha256(n::text::bytea), 1, 16), 2653776, 144, 1, 1, NULL, 'IT', 1
            FROM generate_series(1, %(keys)s) AS n
            """,
            {"keys": keys},
        )


def watch(database: ServicesDatabase) -> None:
    """Write down how many rows each transaction deletes from each table."""
    with psycopg.connect(database.owner) as connection:
        connection.execute("CREATE TABLE public.deleted (transaction xid8, name text, rows int)")
        connection.execute(
            """
            CREATE FUNCTION public.note() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO public.deleted
                SELECT pg_current_xact_id(), TG_TABLE_NAME, count(*) FROM gone;
                RETURN NULL;
            END $$
            """
        )
        for schema, table in _TABLES:
            connection.execute(
                SQL(
                    """
                    CREATE TRIGGER note AFTER DELETE ON {} REFERENCING OLD TABLE AS gone
                    FOR EACH STATEMENT EXECUTE FUNCTION public.note()
                    """
                ).format(Identifier(schema, table))
            )


@contextmanager
def stopped_behind(database: ServicesDatabase, schema: str, table: str) -> Iterator[None]:
    """Stop whoever deletes from a table, its transaction open, until the block ends."""
    with psycopg.connect(database.owner, autocommit=True) as connection:
        connection.execute(
            """
            CREATE FUNCTION public.stop() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_advisory_xact_lock(4711);
                RETURN NULL;
            END $$
            """
        )
        connection.execute(
            SQL(
                """
                CREATE TRIGGER stop AFTER DELETE ON {}
                FOR EACH STATEMENT EXECUTE FUNCTION public.stop()
                """
            ).format(Identifier(schema, table))
        )
        connection.execute("SELECT pg_advisory_lock(%s)", [_GATE])
        yield


async def stands(press: Press) -> None:
    """Wait until somebody stands before the gate."""
    waiting: LiteralString = (
        "SELECT 1 FROM pg_locks JOIN pg_database AS d ON d.oid = database "
        "WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted "
        "AND datname = current_database()"
    )
    async with asyncio.timeout(30):
        while not press.query(waiting):  # noqa: ASYNC110 - the database rings no bell for it
            await asyncio.sleep(0)


async def purge_all(parts: Parts) -> Purged:
    return await purge(
        parts.pool, parts.open_analytics, parts.chunks, settings=parts.retention, now=LATER
    )


@pytest.fixture
async def old_chunk(parts: Parts, press: Press) -> None:
    """Publish one chunk."""
    await keep_upload(
        press.database, keys_of_days(TODAY - timedelta(days=1), days=1, seed="a"), ILL
    )
    await parts.publisher.publish()


@asynccontextmanager
async def impatient_uploads(database: ServicesDatabase) -> AsyncIterator[IngestionStore]:
    """Open ingestion's store on connections that wait for no lock longer than a moment."""
    url = f"{database.ingestion}&options=-c%20lock_timeout%3D500ms"
    async with open_pool(url, max_size=1) as pool:
        yield IngestionStore(pool, OTP_KEYS)


async def upload(database: ServicesDatabase, store: IngestionStore, seed: str) -> None:
    """Check a code and upload with it, the way ingestion does."""
    code = OtpHash(seed.encode().ljust(32, b"-").hex())
    with psycopg.connect(database.owner) as connection:
        connection.execute(
            """
            INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)
            VALUES ('test', %(hash)s, %(day)s, %(now)s, %(now)s + interval '150 seconds')
            """,
            {"hash": OTP_KEYS.keyed(code)[0], "day": TODAY, "now": LATER},
        )
    teks = keys_of_days(LATER.date(), days=3, seed=seed)
    checks = await store.check([code], now=LATER, checked_lifetime=timedelta(minutes=10))
    assert checks.authorised == [True]
    async with store.transaction() as work:
        [grant] = await work.redeem([Redemption(code, teks)], now=LATER)
        assert isinstance(grant, Grant)
        await work.keep([(teks, grant.diagnosis)], received_on=LATER.date())


@pytest.mark.usefixtures("old_chunk")
async def test_no_transaction_deletes_more_than_a_piece_and_nothing_is_left(
    parts: Parts, press: Press
) -> None:
    backlog(press.database, keys=KEYS)
    watch(press.database)

    purged = await purge_all(parts)

    assert (purged.otps, purged.uploads, purged.outbox, purged.chunks) == (2500, 2500, 2500, 1)
    [(deleted,)] = press.query("SELECT sum(rows) FROM public.deleted WHERE name = 'key'")
    assert deleted == KEYS + 1
    [(most,)] = press.query(
        "SELECT max(total) FROM (SELECT sum(rows) AS total FROM public.deleted "
        "GROUP BY transaction) AS each"
    )
    assert most == PIECE
    assert await press.chunks.names() == []


@pytest.mark.usefixtures("old_chunk")
@pytest.mark.parametrize(("schema", "table"), _TABLES)
async def test_no_upload_waits_for_a_purge_that_stands(
    schema: str, table: str, parts: Parts, press: Press
) -> None:
    backlog(press.database, keys=1500)
    with stopped_behind(press.database, schema, table):
        purging = asyncio.create_task(purge_all(parts))
        await stands(press)

        async with impatient_uploads(press.database) as store:
            for number in range(5):
                await upload(press.database, store, f"person {number}")

    await purging
    assert press.query("SELECT count(*) FROM ingestion.upload") == [(5,)]


async def test_the_uploads_above_would_notice_a_purge_that_locks(press: Press) -> None:
    async with impatient_uploads(press.database) as store:
        with psycopg.connect(press.database.owner) as connection:
            connection.execute("LOCK TABLE ingestion.upload IN EXCLUSIVE MODE")
            with pytest.raises(UnavailableError, match="does not answer"):
                await upload(press.database, store, "person")


@pytest.mark.usefixtures("old_chunk")
@pytest.mark.parametrize("table", ["key", "chunk"])
async def test_a_purge_that_was_killed_is_finished_by_the_next(
    table: str, parts: Parts, press: Press
) -> None:
    backlog(press.database, keys=2500)
    with stopped_behind(press.database, "publishing", table):
        purging = asyncio.create_task(purge_all(parts))
        await stands(press)
        # The database sees the same when the process is killed.
        press.query(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
            "AND objid = 4711 AND NOT granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        with pytest.raises(PurgeIncompleteError, match="chunks"):
            await purging
        # Until its row is gone, a chunk has its file.
        assert press.query("SELECT index FROM publishing.chunk") == [(1,)]
        assert [name.index for name in await press.chunks.names()] == [1]

    assert (await purge_all(parts)).chunks == 1
    assert press.query("SELECT count(*) FROM publishing.key") == [(0,)]
    assert await press.chunks.names() == []


async def test_a_day_of_analytics_goes_whole(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    with psycopg.connect(analytics_database.owner) as connection:
        for day in (TODAY, LATER.date()):
            connection.execute("SELECT analytics.open_day(%s)", [day])
        connection.execute(
            """
            INSERT INTO analytics.epidemiological_info
            SELECT %s, 'RM', 'none', '[]' FROM generate_series(1, 2500)
            """,
            [TODAY],
        )
        connection.execute(
            "INSERT INTO analytics.epidemiological_info VALUES (%s, 'RM', 'none', '[]')",
            [LATER.date()],
        )

    assert (await purge_all(parts)).analytics == 2500
