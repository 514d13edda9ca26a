"""Index and chunks come from memory: the database is asked for news, never for an answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from structlog.testing import capture_logs

from immuni.backend.chunks import ChunkName, FolderChunkStore
from immuni.backend.reporting.metrics import IndexMetrics
from immuni.clock import ManualClock
from immuni.deployment.databases import ServicesDatabase, prepare_services_database, relocate
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from tests.contract.rows import broken_rows
from tests.contract.test_reporting import (
    CHUNK,
    NOON,
    RULES,
    answering,
    content,
    put,
    reporting,
    told,
)
from tests.running import a_free_base_port

pytestmark = pytest.mark.anyio

AGE = "immuni_index_complete_seconds"


@pytest.fixture
def store(tmp_path: Path) -> FolderChunkStore:
    return FolderChunkStore.open(tmp_path / "chunks")


@contextmanager
def nobody_may_connect(database: ServicesDatabase) -> Iterator[None]:
    """Let nobody connect to the database for as long as the block runs; who is in stays in."""
    name = sql.Identifier(str(conninfo_to_dict(database.owner)["dbname"]))
    change = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    beside = relocate(database.owner, dbname="postgres")
    with psycopg.connect(beside, autocommit=True) as admin:
        admin.execute(change.format(name, sql.SQL("false")))
        try:
            yield
        finally:
            admin.execute(change.format(name, sql.SQL("true")))


async def last_statements(owner: psycopg.Connection, login: object) -> list[tuple[object, ...]]:
    """Return when each session of a role began its last statement, once all are over."""
    async with asyncio.timeout(30):
        while True:
            sessions = owner.execute(
                "SELECT state, pid, query_start, state_change FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename = %s",
                [login],
            ).fetchall()
            if {session[0] for session in sessions} == {"idle"}:
                return sessions
            await asyncio.sleep(0.01)


async def test_no_answer_takes_a_query(
    services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    service = reporting(services_database, store, poll=timedelta(minutes=5), chunk_cache_bytes=0)
    login = conninfo_to_dict(services_database.reporting)["user"]
    async with answering(service) as client:
        await put(services_database, store, 1, 2)
        await told(client, 2)
        with psycopg.connect(services_database.owner, autocommit=True) as owner:
            before = await last_statements(owner, login)
            with nobody_may_connect(services_database):
                answers = [await client.get(f"/v1/keys/{wanted}") for wanted in ("index", 1, 2, 3)]
                broken = await broken_rows(client, RULES_OF_ONE)
            after = await last_statements(owner, login)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 404]
    assert broken == {}
    assert len(before) == 1
    assert before == after


# In the table there is no second chunk.
RULES_OF_ONE = [row for row in RULES if row.path != "/v1/keys/2"]


@asynccontextmanager
async def a_database(folder: Path) -> AsyncIterator[tuple[EmbeddedPostgres, ServicesDatabase]]:
    """Run a server of its own, that can be stopped."""
    postgres = EmbeddedPostgres(folder / "postgres", port=a_free_base_port())
    try:
        yield postgres, prepare_services_database(postgres.start(), folder / "secrets")
    finally:
        postgres.stop()


async def test_a_database_that_is_restarted_in_the_middle_is_not_missed(
    tmp_path: Path, store: FolderChunkStore
) -> None:
    registry, clock = CollectorRegistry(), ManualClock(NOON)
    async with a_database(tmp_path) as (postgres, database):
        await put(database, store, 1)
        service = reporting(database, store, clock=clock, metrics=IndexMetrics(registry))
        async with answering(service) as client:
            await told(client, 1)
            postgres.stop()
            clock.advance(timedelta(minutes=3))

            await keeps_answering(client)
            assert registry.get_sample_value(AGE) == NOON.timestamp()

            postgres.start()
            await put(database, store, 2)
            assert (await told(client, 2)).is_success
            assert registry.get_sample_value(AGE) == clock.now().timestamp()


async def keeps_answering(client: httpx.AsyncClient) -> None:
    index = await client.get("/v1/keys/index")
    assert index.json() == {"oldest": 1, "newest": 1}
    assert (await client.get(CHUNK)).content == content(1)


async def test_an_index_that_leaves_a_chunk_out_counts_as_old(
    services_database: ServicesDatabase, store: FolderChunkStore, tmp_path: Path
) -> None:
    registry, clock = CollectorRegistry(), ManualClock(NOON)
    service = reporting(services_database, store, clock=clock, metrics=IndexMetrics(registry))
    async with answering(service) as client:
        await put(services_database, store, 1)
        await told(client, 1)
        clock.advance(timedelta(minutes=3))
        with capture_logs() as events:
            await put(services_database, FolderChunkStore.open(tmp_path / "elsewhere"), 2)
            async with asyncio.timeout(30):
                # A log cannot be waited for.
                while not any(each["event"] == "chunks_not_readable" for each in events):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        assert registry.get_sample_value(AGE) == NOON.timestamp()

        await store.write(ChunkName.of(2, content(2)), content(2))
        await told(client, 2)
        assert registry.get_sample_value(AGE) == clock.now().timestamp()
