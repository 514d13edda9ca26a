"""The API as phones see it where nginx stands in front of the services."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from immuni.backend.chunks import ChunkName, FolderChunkStore
from immuni.backend.shaping import ANSWER_BYTES
from immuni.deployment.databases import ServicesDatabase
from immuni.deployment.roles import Role
from immuni.otp import generate_otp, otp_hash
from tests.contract import test_ingestion, test_reporting, test_shaping
from tests.contract.ingestion_rows import DUMMIES, ENTROPY, HEADERS
from tests.contract.rows import Row, broken_rows
from tests.contract.serving import exchange, serving
from tests.contract.test_reporting import CHUNK, content, put, told
from tests.contract.test_shaping import DATE_LINE
from tests.contract.tls import make_certificate, observing
from tests.intake import open_intake
from tests.nginx import Before, nginx_before

pytestmark = pytest.mark.anyio

# The fixtures of the reporting service's own table.
client = test_reporting.client
clock = test_reporting.clock
store = test_reporting.store

ELSEWHERE = "127.0.0.77"
"""An address of this machine that nothing else comes from."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "nginx"
    made.mkdir()
    return made


@pytest.fixture
async def reporting(client: httpx.AsyncClient, folder: Path) -> AsyncIterator[Before]:
    async with nginx_before({Role.GET: client}, folder) as before:
        yield before


async def test_index_and_chunks_are_answered_as_without_it(
    reporting: Before, services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    await put(services_database, store, 1)
    await told(reporting.client, 1)
    rows = [row for row in test_reporting.RULES if row.path.startswith("/v1/")]

    assert await broken_rows(reporting.client, rows) == {}
    assert await broken_rows(reporting.client, rows) == {}, "from copies"
    part = await reporting.client.get(CHUNK, headers={"range": "bytes=6-9"})
    assert part.content == content(1)[6:10]


async def test_nothing_is_served_that_the_service_has_not_given_out(
    reporting: Before, services_database: ServicesDatabase, store: FolderChunkStore
) -> None:
    await put(services_database, store, 1)
    await store.write(ChunkName.of(2, content(2)), content(2))
    await told(reporting.client, 1)

    rows = [Row(rule="unpublished", path="/v1/keys/2", status=404, code=1300)]
    assert await broken_rows(reporting.client, rows) == {}
    await put(services_database, store, 2)
    await told(reporting.client, 2)
    assert (await reporting.client.get("/v1/keys/2")).content == content(2)


async def test_a_chunk_is_asked_of_the_service_once(folder: Path) -> None:
    asked: list[tuple[str, str | None]] = []

    async def chunk(request: Request) -> Response:
        asked.append((request.method, request.headers.get("if-none-match")))
        headers = {"etag": '"1"', "cache-control": "public, max-age=1296000, immutable"}
        return Response(content(1), headers=headers)

    async with (
        serving(Starlette(routes=[Route("/v1/keys/1", chunk)])) as service,
        nginx_before({Role.GET: service}, folder) as before,
    ):
        answers = await asyncio.gather(*(before.client.get(CHUNK) for _ in range(20)))
        unchanged = await before.client.get(CHUNK, headers={"if-none-match": '"1"'})

    assert {answer.content for answer in answers} == {content(1)}
    assert unchanged.status_code == 304
    assert asked == [("GET", None)]


async def test_uploads_are_answered_as_without_it(
    services_database: ServicesDatabase, tmp_path: Path, folder: Path
) -> None:
    async with (
        open_intake(services_database, tmp_path) as intake,
        nginx_before({Role.UPLOAD: intake.upload_host}, folder) as before,
    ):
        otp = generate_otp(ENTROPY)
        await intake.authorise(otp)
        usual = test_ingestion.usual(otp_hash(otp))

        rows = [row for row in [*HEADERS, *DUMMIES] if row.path.startswith("/v1/")]
        assert await broken_rows(before.client, rows, usual=usual) == {}
        through = replace(intake, upload_host=before.client)
        assert (await through.check(otp)).status_code == 204
        assert (await through.upload(otp, [])).status_code == 204


LARGE = 262_145
SIZE = ANSWER_BYTES + DATE_LINE + len("Server: nginx\r\nConnection: keep-alive\r\n")
OWN_REFUSALS = [
    Row(rule="another path", path="/v2/keys/index", status=404, code=1000),
    Row(rule="the root", path="/", status=404, code=1000),
    Row(rule="health", path="/readyz", status=404, code=1000),
    Row(rule="metrics", path="/metrics", status=404, code=1000),
    Row(rule="TRACE", method="TRACE", path="/v1/keys/index", status=405, code=1000),
    Row(rule="an endless path", path=f"/v1/keys/{'1' * 9000}", status=414, code=1000),
    Row(rule="an endless header", path="/v1/keys/1", headers={"a": "b" * 9000}, code=1001),
    Row(
        rule="an announced body over the limit",
        method="POST",
        path="/v1/ingestion/upload",
        body=b" " * LARGE,
        status=413,
        code=1000,
    ),
    *[
        Row(rule=f"nobody behind {path}", path=path, status=503, code=1000)
        for path in ("/v1/keys/index", "/v1/keys/1", "/v1/settings", "/v1/analytics/x")
    ],
    Row(
        rule="nobody behind an upload",
        method="POST",
        path="/v1/ingestion/upload",
        body=b"{}",
        status=503,
        code=1000,
    ),
]


async def test_what_nginx_refuses_itself_is_told_as_the_services_tell_it(folder: Path) -> None:
    async with nginx_before({}, folder) as before:
        assert await broken_rows(before.client, OWN_REFUSALS) == {}
        headed = await before.client.head("/nowhere")

    assert (headed.status_code, headed.content) == (404, b"")


async def test_a_body_that_grows_over_the_limit_is_refused(folder: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGE // 1000 + 1):
            yield b" " * 1000

    async with (
        test_shaping.shaped(path="/v1/ingestion/upload") as service,
        nginx_before({Role.UPLOAD: service}, folder) as it,
    ):
        answer = await it.client.post("/v1/ingestion/upload", content=endless())

    assert answer.status_code == 413
    assert answer.json()["error_code"] == 1000
    assert answer.headers["cache-control"] == "no-store"


async def test_an_observer_sees_the_same_records_whatever_is_answered(
    tmp_path: Path, folder: Path
) -> None:
    def request(padding: str, dummy: str) -> bytes:
        body = b'{"padding":"%s"}' % padding.encode()
        return (
            b"POST /v1/ingestion/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Immuni-Dummy-Data: %s\r\nContent-Length: %d\r\n\r\n" % (dummy.encode(), len(body))
        ) + body

    kinds = [("", "0"), ("wrong", "0"), ("?", "0"), ("slow", "0"), ("", "1"), ("x", "9")]
    async with (
        test_shaping.shaped(path="/v1/ingestion/check") as service,
        nginx_before({Role.UPLOAD: service}, folder, certificate=make_certificate(tmp_path)) as it,
        observing("127.0.0.1", it.port) as observed,
    ):
        seen = [
            await observed.exchange(request(padding, dummy), length=SIZE)
            for padding, dummy in kinds
        ]

    statuses = [int(answer[9:12]) for _, answer in seen]
    assert statuses == [204, 401, 400, 204, 204, 400]
    assert len({tuple(records) for records, _ in seen}) == 1
    assert len(seen[0][0]) == 1
    assert {len(answer) for _, answer in seen} == {SIZE}


async def _source(request: Request) -> Response:
    return JSONResponse(request.headers.get("x-forwarded-for"))


async def test_who_asks_is_told_to_the_upload_host_only(folder: Path) -> None:
    paths = {
        Role.GET: "/v1/settings",
        Role.UPLOAD: "/v1/ingestion/upload",
        Role.ANALYTICS: "/v1/analytics/x",
    }
    async with AsyncExitStack() as stack:
        services = {}
        for role, path in paths.items():
            app = Starlette(routes=[Route(path, _source)])
            services[role] = await stack.enter_async_context(serving(app))
        before = await stack.enter_async_context(nginx_before(services, folder))
        phone = await stack.enter_async_context(from_elsewhere(before))
        sources = {
            role: (await phone.get(path, headers={"x-forwarded-for": "192.0.2.1"})).json()
            for role, path in paths.items()
        }

    assert sources == {
        Role.GET: None,
        Role.UPLOAD: f"192.0.2.1, {ELSEWHERE}",
        Role.ANALYTICS: None,
    }


def from_elsewhere(before: Before) -> httpx.AsyncClient:
    """Return a client whose address is its own."""
    transport = httpx.AsyncHTTPTransport(local_address=ELSEWHERE)
    return httpx.AsyncClient(base_url=before.client.base_url, transport=transport)


def files_in(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


async def _broken(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Promise more than is sent, as a service that is killed in the middle."""
    headers = [(b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"x"})


async def test_no_log_holds_an_address_a_path_or_a_body(folder: Path) -> None:
    async with (
        serving(Starlette(routes=[Mount("/", _broken)])) as service,
        nginx_before({Role.GET: service}, folder) as before,
        from_elsewhere(before) as phone,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            await phone.get("/v1/settings?marked=path")
        away = await phone.post("/v1/ingestion/upload", content=b"marked body" * 1000)
        refused = await phone.post("/v1/ingestion/upload", content=b"marked body" * 30_000)
        malformed = await exchange(before.client, b"GET /marked\x01 HTTP/1.1\r\n\r\n")

    assert (away.status_code, refused.status_code, malformed[9:12]) == (503, 413, b"400")
    written = b"".join(file.read_bytes() for file in files_in(folder))
    assert b" 503 502 " in (folder / "failures.log").read_bytes()
    assert ELSEWHERE.encode() not in written
    assert b"marked" not in written


async def test_a_body_is_handed_on_as_it_comes_and_kept_in_no_file(folder: Path) -> None:
    arrived = asyncio.Event()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        size = 0
        while size < 110_000:
            size += len((await receive())["body"])
            if size >= 90_000:
                arrived.set()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    streamed = Starlette(routes=[Mount("/", app)])
    async with serving(streamed) as service, nginx_before({Role.UPLOAD: service}, folder) as before:
        reader, writer = await asyncio.open_connection("127.0.0.1", before.port)
        head = b"POST /v1/ingestion/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 110000\r\n\r\n"
        writer.write(head + b"x" * 100_000)
        async with asyncio.timeout(30):
            await arrived.wait()
            kept = files_in(folder / "temporary")
            writer.write(b"x" * 10_000)
            assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        writer.close()
        await writer.wait_closed()

    assert kept == []
