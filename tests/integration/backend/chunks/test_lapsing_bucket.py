"""A bucket that fails for a while, at one kind of request: the keys wait, and nothing is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from immuni.backend.chunks import ChunkName, ChunkStore, ChunkStoreError, ChunkStoreSettings
from immuni.backend.infectiousness import Diagnosis
from immuni.deployment.databases import ServicesDatabase
from tests.contract.serving import serving
from tests.publishing import NOW, Press, all_key_data, keep_upload, keys_of_days

pytestmark = pytest.mark.anyio

FOR_EVER: Final = 1_000_000
YESTERDAY: Final = NOW.date() - timedelta(days=1)
ILL: Final = Diagnosis(NOW.date() - timedelta(days=4), None)
REQUESTS: Final = ("put", "list", "get", "delete")


@dataclass
class Door:
    """Stands before an S3 server, and turns requests of one kind away.

    Attributes:
        server: The way to the server.
        closed_to: The kind that is turned away; none where it is empty.
        times: How many of them are.
        too_late: They get to the server first: what they ask for is done.
        turned_away: How many were.
    """

    server: httpx.AsyncClient
    closed_to: str = ""
    times: int = FOR_EVER
    too_late: bool = False
    turned_away: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        lapses = _kind_of(request) == self.closed_to and self.turned_away < self.times
        answer = Response(status_code=503)
        if not lapses or self.too_late:
            answer = await self._ask(request)
        if lapses:
            self.turned_away += 1
            answer = Response(status_code=503)
        await answer(scope, receive, send)

    async def _ask(self, request: Request) -> Response:
        url = httpx.URL(request.url.path, query=request.url.query.encode())
        answer = await self.server.request(
            request.method, url, headers=request.headers.raw, content=await request.body()
        )
        return Response(answer.content, answer.status_code, dict(answer.headers))


def _kind_of(request: Request) -> str:
    if "list-type" in request.query_params:
        return "list"
    # Objects are deleted by a POST that names them.
    return "delete" if "delete" in request.query_params else request.method.lower()


@dataclass
class LapsingBucket:
    """A bucket behind a door."""

    door: Door
    chunks: ChunkStore


@asynccontextmanager
async def lapsing(bucket: ChunkStoreSettings) -> AsyncIterator[LapsingBucket]:
    """Put a door before a bucket."""
    async with httpx.AsyncClient(base_url=bucket.s3_endpoint, trust_env=False) as server:
        door = Door(server)
        async with serving(door) as client:
            settings = replace(bucket, s3_endpoint=str(client.base_url).rstrip("/"))
            yield LapsingBucket(door, settings.open(Path()))


async def a_torn_object(bucket: ChunkStoreSettings) -> None:
    """Leave something behind that a run has to delete."""
    store, torn = bucket.open(Path()), ChunkName.of(1, b"whole")
    await store._bucket.put_async(torn.file_name, b"half")  # type: ignore[attr-defined]  # behind its back


@pytest.mark.parametrize("request_kind", REQUESTS)
@pytest.mark.parametrize("too_late", [False, True], ids=["refused", "done and not told"])
async def test_after_a_bucket_was_away_each_key_is_published_once(
    bucket: ChunkStoreSettings,
    tmp_path: Path,
    services_database: ServicesDatabase,
    request_kind: str,
    too_late: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    press, keys = Press(tmp_path, services_database), keys_of_days(YESTERDAY, days=5, seed="a")
    await keep_upload(services_database, keys, ILL)
    await a_torn_object(bucket)

    async with lapsing(bucket) as lapse, press.publisher(chunks=lapse.chunks) as publisher:
        lapse.door.closed_to, lapse.door.too_late = request_kind, too_late
        with pytest.raises(ChunkStoreError):
            await publisher.publish()
        assert press.query("SELECT * FROM publishing.chunk") == []
        assert lapse.door.turned_away > 1
        lapse.door.closed_to = ""
        await publisher.publish()
        exports = await press.published(lapse.chunks)

    assert list(exports) == [1]
    assert all_key_data(exports) == sorted(key.key_data for key in keys)


@pytest.mark.parametrize("request_kind", REQUESTS)
async def test_a_bucket_that_fails_once_is_asked_again(
    bucket: ChunkStoreSettings,
    tmp_path: Path,
    services_database: ServicesDatabase,
    request_kind: str,
) -> None:
    press, keys = Press(tmp_path, services_database), keys_of_days(YESTERDAY, days=5, seed="a")
    await keep_upload(services_database, keys, ILL)
    await a_torn_object(bucket)

    async with lapsing(bucket) as lapse, press.publisher(chunks=lapse.chunks) as publisher:
        lapse.door.closed_to, lapse.door.times, lapse.door.too_late = request_kind, 1, True
        run = await publisher.publish()
        exports = await press.published(lapse.chunks)

    assert (run.chunks, run.removed, lapse.door.turned_away) == (1, 1, 1)
    assert all_key_data(exports) == sorted(key.key_data for key in keys)
