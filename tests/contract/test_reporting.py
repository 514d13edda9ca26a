"""The chunk index and the chunks over real HTTP, a real database and a real folder."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.chunks import ChunkName, FolderChunkStore
from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.following import FollowingSettings
from immuni.backend.reporting.http import ReportingSettings, reporting_service
from immuni.backend.reporting.store import CHANNEL
from immuni.backend.retention import RetentionSettings
from immuni.clock import ManualClock
from immuni.deployment.databases import ServicesDatabase
from tests.contract.serving import become_ready, serving

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)


def content(index: int) -> bytes:
    return b"chunk %d " % index * 100


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def store(tmp_path: Path) -> FolderChunkStore:
    return FolderChunkStore.open(tmp_path / "chunks")


@pytest.fixture
async def client(
    services_database: ServicesDatabase, store: FolderChunkStore, clock: ManualClock
) -> AsyncIterator[httpx.AsyncClient]:
    service = reporting_service(
        database_url=services_database.reporting,
        store=store,
        clock=clock,
        settings=ReportingSettings(),
        retention=RetentionSettings(),
        following=FollowingSettings(),
    )
    app = create_app([service], settings=HttpSettings(), registry=CollectorRegistry())
    async with serving(app) as opened:
        await become_ready(opened)
        yield opened


async def put(
    database: ServicesDatabase, store: FolderChunkStore, *indices: int, end: datetime = NOON
) -> None:
    """Publish chunks: files first, then their rows, then the news."""
    async with await psycopg.AsyncConnection.connect(database.owner) as owner:
        for index in indices:
            name = ChunkName.of(index, content(index))
            await store.write(name, content(index))
            await owner.execute(
                "INSERT INTO publishing.chunk"
                " (index, digest, size_bytes, key_count, window_start, window_end)"
                " VALUES (%s, %s, %s, 1, %s, %s)",
                (index, name.digest, len(content(index)), end - timedelta(hours=4), end),
            )
        await owner.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


async def told(client: httpx.AsyncClient, newest: int) -> httpx.Response:
    """Return the index once it tells of a chunk."""
    async with asyncio.timeout(30):
        while True:
            answer = await client.get("/v1/keys/index")
            if answer.is_success and answer.json()["newest"] == newest:
                return answer


def check_refusal(answer: httpx.Response, status: int, code: int) -> None:
    assert answer.status_code == status
    assert answer.json()["error_code"] == code
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_without_any_chunk_there_is_no_index(client: httpx.AsyncClient) -> None:
    check_refusal(await client.get("/v1/keys/index"), 404, 1301)
    check_refusal(await client.get("/v1/keys/1"), 404, 1300)


async def test_what_is_published_is_told_and_given_out(
    client: httpx.AsyncClient, services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    await put(services_database, store, 7, 8)
    index = await told(client, 8)
    chunk = await client.get("/v1/keys/8")

    assert index.json() == {"oldest": 7, "newest": 8}
    assert index.headers["cache-control"] == "public, max-age=1800"
    assert index.headers["content-type"] == "application/json; charset=utf-8"
    assert chunk.content == content(8)
    assert chunk.headers["content-type"] == "application/zip"
    assert chunk.headers["cache-control"] == "public, max-age=1296000, immutable"
    assert chunk.headers["etag"] == f'"{ChunkName.of(8, content(8)).digest.hex()}"'
    check_refusal(await client.get("/v1/keys/6"), 404, 1300)
    check_refusal(await client.get("/v1/keys/9"), 404, 1300)


async def test_chunks_come_whole_in_part_or_not_at_all(
    client: httpx.AsyncClient, services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    await put(services_database, store, 1)
    await told(client, 1)
    whole = await client.get("/v1/keys/1")
    etag = whole.headers["etag"]

    headed = await client.head("/v1/keys/1")
    same = await client.get("/v1/keys/1", headers={"if-none-match": etag})
    part = await client.get("/v1/keys/1", headers={"range": "bytes=6-9", "if-range": etag})
    behind = await client.get("/v1/keys/1", headers={"range": "bytes=99999-"})

    assert headed.headers["content-length"] == str(len(content(1)))
    assert headed.content == b""
    assert same.status_code == HTTPStatus.NOT_MODIFIED
    assert part.status_code == HTTPStatus.PARTIAL_CONTENT
    assert part.content == content(1)[6:10]
    check_refusal(behind, 416, 1000)
    assert behind.headers["content-range"] == f"bytes */{len(content(1))}"


async def test_a_chunk_has_one_address(
    client: httpx.AsyncClient, services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    await put(services_database, store, 1)
    await told(client, 1)

    for index in ("0", "01", "+1", "-1", "1.0", "1x", "%31", "1%0A", "x", "9" * 20, "١"):
        check_refusal(await client.get(f"/v1/keys/{index}"), 400, 1001)


async def test_old_chunks_leave_the_index_first(
    client: httpx.AsyncClient,
    services_database: ServicesDatabase,
    store: FolderChunkStore,
    clock: ManualClock,
) -> None:
    await put(services_database, store, 1, end=NOON - timedelta(hours=4))
    await put(services_database, store, 2)
    await told(client, 2)

    clock.advance(timedelta(days=14) - timedelta(hours=4))
    assert (await client.get("/v1/keys/index")).json() == {"oldest": 2, "newest": 2}
    assert (await client.get("/v1/keys/1")).is_success

    clock.advance(timedelta(minutes=30))
    check_refusal(await client.get("/v1/keys/1"), 404, 1300)


async def test_a_damaged_chunk_is_not_given_out(
    client: httpx.AsyncClient,
    services_database: ServicesDatabase,
    store: FolderChunkStore,
    tmp_path: Path,
) -> None:
    await put(services_database, store, 1)
    await told(client, 1)
    file = tmp_path / "chunks" / ChunkName.of(1, content(1)).file_name
    file.write_bytes(b"damaged")

    answer = await client.get("/v1/keys/1")

    check_refusal(answer, 503, 1000)
    assert answer.headers["retry-after"]
