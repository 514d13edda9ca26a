"""The chunk index and the chunks over real HTTP, a real database and a real folder."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.chunks import ChunkName, FolderChunkStore
from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.following import FollowingSettings
from immuni.backend.reporting.http import ReportingSettings, reporting_service
from immuni.backend.reporting.metrics import IndexMetrics
from immuni.backend.reporting.store import CHANNEL
from immuni.backend.retention import RetentionSettings
from immuni.clock import Clock, ManualClock
from immuni.deployment.databases import ServicesDatabase
from immuni.web import Service
from tests.contract.rows import JSON, Row, broken_rows
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


def reporting(
    database: ServicesDatabase,
    store: FolderChunkStore,
    *,
    clock: Clock | None = None,
    poll: timedelta = timedelta(seconds=1),
    chunk_cache_bytes: int = 2**20,
    metrics: IndexMetrics | None = None,
) -> Service:
    """Return the service."""
    return reporting_service(
        database_url=database.reporting,
        store=store,
        clock=clock or ManualClock(NOON),
        settings=ReportingSettings(chunk_cache_bytes=chunk_cache_bytes),
        retention=RetentionSettings(),
        following=FollowingSettings(refresh_poll=poll),
        metrics=metrics,
    )


@asynccontextmanager
async def answering(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """Serve it for as long as the block runs."""
    app = create_app([service], settings=HttpSettings(), registry=CollectorRegistry())
    async with serving(app) as opened:
        await become_ready(opened)
        yield opened


@pytest.fixture
async def client(
    services_database: ServicesDatabase, store: FolderChunkStore, clock: ManualClock
) -> AsyncIterator[httpx.AsyncClient]:
    async with answering(reporting(services_database, store, clock=clock)) as opened:
        yield opened


async def put(
    database: ServicesDatabase,
    store: FolderChunkStore,
    *indices: int,
    end: datetime = NOON,
    notify: bool = True,
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
        if notify:
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


INDEX, CHUNK = "/v1/keys/index", "/v1/keys/1"
SIZE = len(content(1))
ETAG = f'"{ChunkName.of(1, content(1)).digest.hex()}"'
FOREVER = {
    "cache-control": "public, max-age=1296000, immutable",
    "etag": ETAG,
    "accept-ranges": "bytes",
}
WHOLE = {"content-type": "application/zip", "content-length": str(SIZE), **FOREVER}


def asked(rule: str, status: int, /, says: Mapping[str, str], **headers: str) -> Row:
    """Return a rule about the headers with which a chunk is asked for."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Row(rule=rule, path=CHUNK, status=status, headers=named, says=says)


def part(start: int, stop: int) -> dict[str, str]:
    """Return what is said of a part of the chunk."""
    return {
        **FOREVER,
        "content-range": f"bytes {start}-{stop - 1}/{SIZE}",
        "content-length": str(stop - start),
    }


RULES = [
    Row(
        rule="index",
        path=INDEX,
        status=200,
        says={"cache-control": "public, max-age=1800", "content-type": JSON},
    ),
    Row(rule="index, HEAD", method="HEAD", path=INDEX, status=200, says={"content-type": JSON}),
    asked("chunk", 200, WHOLE),
    Row(rule="chunk, HEAD", method="HEAD", path=CHUNK, status=200, says=WHOLE),
    asked("same tag", 304, {"etag": ETAG}, if_none_match=ETAG),
    asked("same tag, weak", 304, {"etag": ETAG}, if_none_match=f"W/{ETAG}"),
    asked("a list with the tag", 304, {"etag": ETAG}, if_none_match=f'"a", W/"b" , {ETAG}'),
    asked("any tag", 304, {"etag": ETAG}, if_none_match="*"),
    asked("another tag", 200, WHOLE, if_none_match='"a"'),
    asked("a tag without quotes", 200, WHOLE, if_none_match=ETAG.strip('"')),
    asked("same tag before a range", 304, {}, if_none_match=ETAG, range="bytes=0-1"),
    asked("a range", 206, part(6, 10), range="bytes=6-9"),
    asked("an open range", 206, part(10, SIZE), range="bytes=10-"),
    asked("the end", 206, part(SIZE - 5, SIZE), range="bytes=-5"),
    asked("more than the end", 206, part(0, SIZE), range=f"bytes=-{SIZE + 1}"),
    asked("a range over the end", 206, part(6, SIZE), range="bytes=6-99999"),
    asked("a range of this tag", 206, part(6, 10), range="bytes=6-9", if_range=ETAG),
    asked("a range of another tag", 200, WHOLE, range="bytes=6-9", if_range='"a"'),
    asked("a range of a weak tag", 200, WHOLE, range="bytes=6-9", if_range=f"W/{ETAG}"),
    asked(
        "a range by date", 200, WHOLE, range="bytes=6-9", if_range="Sat, 20 Jun 2020 00:00:00 GMT"
    ),
    asked("two ranges", 200, WHOLE, range="bytes=0-1,3-4"),
    asked("a range backwards", 200, WHOLE, range="bytes=9-6"),
    asked("a range backwards behind the end", 200, WHOLE, range="bytes=99999-6"),
    asked("no range", 200, WHOLE, range="bytes=-"),
    asked("other units", 200, WHOLE, range="chunks=0-1"),
    *[
        Row(
            rule=rule,
            path=CHUNK,
            headers={"range": wanted},
            status=416,
            code=1000,
            says={"content-range": f"bytes */{SIZE}"},
        )
        for rule, wanted in (
            ("a range behind the end", f"bytes={SIZE}-"),
            ("a closed range behind the end", f"bytes={SIZE}-{SIZE + 5}"),
            ("an empty end", "bytes=-0"),
        )
    ],
    *[
        Row(rule=f"address {index}", path=f"/v1/keys/{index}", code=1001)
        for index in ("0", "01", "+1", "-1", "1.0", "1x", "%31", "1%0A", "x", "9" * 20, "١")
    ],
    Row(rule="a chunk of 19 digits", path=f"/v1/keys/{'9' * 19}", status=404, code=1300),
    Row(rule="a chunk with a query", path=f"{CHUNK}?a=1", code=1001),
    Row(rule="the index with a query", path=f"{INDEX}?now", code=1001),
    Row(rule="a slash too many", path=f"{CHUNK}/", status=404, code=1000),
    Row(rule="an encoded slash", path="/v1/keys/1%2F", status=404, code=1000),
    Row(rule="a slash within", path="/v1/keys//1", status=404, code=1000),
    Row(rule="no such chunk", path="/v1/keys/2", status=404, code=1300),
    Row(rule="no such chunk, HEAD", method="HEAD", path="/v1/keys/2", status=404, code=1300),
    Row(rule="POST", method="POST", path=CHUNK, status=405, code=1000),
    Row(rule="no metrics here", path="/metrics", status=404, code=1000),
    Row(rule="no document here", path="/openapi.json", status=404, code=1000),
    Row(rule="alive", path="/livez", status=200),
    Row(rule="ready", path="/readyz", status=200),
]


async def test_index_and_chunks_are_answered_as_defined(
    client: httpx.AsyncClient, services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    await put(services_database, store, 1)
    await told(client, 1)

    assert await broken_rows(client, RULES, service="reporting") == {}
    part_of_it = await client.get(CHUNK, headers={"range": "bytes=6-9", "if-range": ETAG})
    assert part_of_it.content == content(1)[6:10]


async def test_head_says_what_get_says(
    client: httpx.AsyncClient, services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    await put(services_database, store, 1)
    await told(client, 1)

    for path in (INDEX, CHUNK, "/v1/keys/2", "/livez", "/readyz"):
        got, headed = await client.get(path), await client.head(path)

        assert headed.content == b""
        assert {**headed.headers, "date": ""} == {**got.headers, "date": ""}


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


async def test_a_damaged_chunk_is_neither_given_out_nor_told_of(
    services_database: ServicesDatabase, store: FolderChunkStore, tmp_path: Path
) -> None:
    service = reporting(services_database, store, chunk_cache_bytes=0)
    async with answering(service) as client:
        await put(services_database, store, 1, 2, 3)
        await told(client, 3)
        file = tmp_path / "chunks" / ChunkName.of(2, content(2)).file_name
        file.write_bytes(b"damaged")

        answer = await client.get("/v1/keys/2")

        check_refusal(answer, 503, 1000)
        assert answer.headers["retry-after"]
        await told(client, 1)
        check_refusal(await client.get("/v1/keys/2"), 404, 1300)
        file.write_bytes(content(2))
        await told(client, 3)
        assert (await client.get("/v1/keys/2")).content == content(2)


async def test_a_lost_notification_is_made_up_for_by_the_poll(
    services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    service = reporting(services_database, store, poll=timedelta(milliseconds=100))
    async with answering(service) as client:
        await put(services_database, store, 1, notify=False)

        assert (await told(client, 1)).is_success


async def test_a_notification_is_heard_long_before_the_poll(
    services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    service = reporting(services_database, store, poll=timedelta(minutes=5))
    async with answering(service) as client:
        await put(services_database, store, 1)

        assert (await told(client, 1)).is_success
