"""What the HTTP shell promises for every endpoint, over real HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from immuni.api import CheckOtp
from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.errors import OtpUnknownError, TooManyRequestsError
from immuni.web import (
    Call,
    Endpoint,
    Method,
    OverloadLimiter,
    Parameter,
    Place,
    Reply,
    RetryLaterError,
    Service,
    metrics_app,
)
from tests.contract.serving import exchange, serving

pytestmark = pytest.mark.anyio

SECRET = "f00d" * 16


async def _greet(call: Call[None]) -> Reply:
    return Reply(body=b'{"number":%d}' % int(call.query["number"]))


async def _item(_call: Call[None]) -> Reply:
    return Reply(body=b"{}")


async def _take(call: Call[CheckOtp]) -> Reply:
    match call.body.padding:
        case "unknown":
            raise OtpUnknownError("code not authorised")
        case "often":
            raise TooManyRequestsError("too many", retry_after=timedelta(seconds=60))
        case "bug":
            raise RuntimeError(SECRET)
    return Reply(HTTPStatus.NO_CONTENT)


ENDPOINTS: list[Endpoint[Any]] = [
    Endpoint(
        method=Method.GET,
        path="/v1/number",
        summary="Repeat a number",
        handler=_greet,
        replies={HTTPStatus.OK: None},
        parameters=(
            Parameter(name="number", place=Place.QUERY, description="It.", low=1, high=20),
        ),
        cache_control="public, max-age=60",
    ),
    Endpoint(
        method=Method.GET,
        path="/v1/items/{item}",
        summary="Show an item",
        handler=_item,
        replies={HTTPStatus.OK: None},
        parameters=(
            Parameter(name="item", place=Place.PATH, description="It.", pattern="[1-9][0-9]*"),
        ),
    ),
    Endpoint(
        method=Method.POST,
        path="/v1/take",
        summary="Take a body",
        handler=_take,
        request=CheckOtp,
        replies={HTTPStatus.NO_CONTENT: None},
    ),
]


@asynccontextmanager
async def shell(
    *,
    settings: HttpSettings | None = None,
    limiter: OverloadLimiter | None = None,
    registry: CollectorRegistry | None = None,
    service: Service | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        [service or Service(name="trial", title="Trial", endpoints=ENDPOINTS)],
        settings=settings or HttpSettings(),
        registry=registry or CollectorRegistry(),
        limiter=limiter,
    )
    async with serving(app) as client:
        yield client


def check_refusal(answer: httpx.Response, status: int, code: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "date" in answer.headers
    body = answer.json()
    assert body.keys() == {"error_code", "message"}
    assert body["error_code"] == code
    assert re.fullmatch(r"[A-Za-z0-9 .]{1,64}", body["message"])


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;CHARSET=UTF-8",
        'application/json ; charset="utf-8"',
    ],
)
async def test_json_may_be_announced_in_any_case_and_spacing(content_type: str) -> None:
    async with shell() as client:
        answer = await client.post(
            "/v1/take", content=b"{}", headers={"content-type": content_type}
        )

        assert answer.status_code == HTTPStatus.NO_CONTENT
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/json; charset=latin-1", "application/jsonx", "application/json; a"],
)
async def test_every_other_type_is_a_malformed_request(content_type: str) -> None:
    async with shell() as client:
        answer = await client.post(
            "/v1/take", content=b"{}", headers={"content-type": content_type}
        )

        check_refusal(answer, 400, 1001)


async def test_a_body_without_a_type_is_a_malformed_request() -> None:
    async with shell() as client:
        check_refusal(await client.post("/v1/take", content=b"{}"), 400, 1001)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "number=0",
        "number=21",
        "number=01",
        "number=%2B1",
        "number=1.0",
        "number=",
        "number=1&number=1",
        "number=1&other=2",
        "number=1&",
        "number",
        "number=%0A1",
        "number=" + "1" * 2000,
    ],
)
async def test_a_query_that_is_not_as_defined_is_refused(query: str) -> None:
    async with shell() as client:
        check_refusal(await client.get(f"/v1/number?{query}"), 400, 1001)


async def test_an_endpoint_without_arguments_refuses_all() -> None:
    async with shell() as client:
        check_refusal(
            await client.post(
                "/v1/take?a=1", content=b"{}", headers={"content-type": "application/json"}
            ),
            400,
            1001,
        )


@pytest.mark.parametrize("item", ["01", "%31", "1%0A", "x", "+1", "1%2F"])
async def test_a_resource_has_one_address(item: str) -> None:
    async with shell() as client:
        answer = await client.get(f"/v1/items/{item}")

        assert answer.status_code in (400, 404)
        assert (await client.get("/v1/items/1")).status_code == HTTPStatus.OK


async def test_success_is_cached_as_its_table_says_and_head_is_like_get() -> None:
    async with shell() as client:
        got = await client.get("/v1/number?number=7")
        headed = await client.head("/v1/number?number=7")

    assert got.json() == {"number": 7}
    assert got.headers["cache-control"] == "public, max-age=60"
    assert headed.content == b""
    assert {**headed.headers} == {**got.headers}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/number/", 404),
        ("POST", "/v1/number?number=1", 405),
        ("OPTIONS", "/v1/take", 405),
        ("GET", "/v1/take", 405),
    ],
)
async def test_the_frameworks_own_refusals_have_our_body(
    method: str, path: str, status: int
) -> None:
    async with shell() as client:
        check_refusal(await client.request(method, path), status, 1000)


@pytest.mark.parametrize(
    ("padding", "status", "code"),
    [("unknown", 401, 1101), ("often", 429, 1002), ("bug", 500, 1000)],
)
async def test_each_error_has_its_row_in_the_table(padding: str, status: int, code: int) -> None:
    async with shell() as client:
        answer = await client.post("/v1/take", json={"padding": padding})

        check_refusal(answer, status, code)
        assert answer.headers.get("retry-after") == ("60" if status == 429 else None)
        assert SECRET not in answer.text


async def test_a_body_over_the_limit_is_refused_before_it_was_sent() -> None:
    async with shell() as client:
        head = b"POST /v1/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"

        announced = await exchange(
            client, head + b"Content-Length: 262145\r\nConnection: close\r\n\r\n"
        )

        assert announced.startswith(b"HTTP/1.1 413 ")
        assert b'"error_code":1000' in announced


async def test_a_body_without_length_is_refused_when_it_exceeds_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 4096

    async with shell() as client:
        answer = await client.post(
            "/v1/take", content=endless(), headers={"content-type": "application/json"}
        )

        check_refusal(answer, 413, 1000)


async def test_a_body_that_stalls_is_given_up() -> None:
    settings = HttpSettings(body_timeout=timedelta(milliseconds=50))
    async with shell(settings=settings) as client:
        answer = await exchange(
            client,
            b"POST /v1/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 10\r\nConnection: close\r\n\r\n{",
        )

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"error_code":1000' in answer


async def test_one_request_too_many_is_told_when_to_come_again() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_call: Call[None]) -> Reply:
        begun.set()
        await go_on.wait()
        return Reply(HTTPStatus.NO_CONTENT)

    endpoint = Endpoint(
        method=Method.GET,
        path="/v1/wait",
        summary="Wait",
        handler=wait,
        replies={HTTPStatus.NO_CONTENT: None},
    )
    service = Service(name="slow", title="Slow", endpoints=[endpoint])
    limiter = OverloadLimiter(max_working=1, retry_after=timedelta(seconds=3))
    async with shell(service=service, limiter=limiter) as client:
        first = asyncio.create_task(client.get("/v1/wait"))
        await begun.wait()

        refused = await client.get("/v1/wait")
        alive = await client.get("/livez")
        go_on.set()

        check_refusal(refused, 503, 1000)
        assert refused.headers["retry-after"] == "3"
        assert alive.status_code == HTTPStatus.OK
        assert (await first).status_code == HTTPStatus.NO_CONTENT
        assert (await client.get("/v1/wait")).status_code == HTTPStatus.NO_CONTENT


async def test_readiness_follows_what_the_service_needs() -> None:
    needs = {"database": True}

    async def is_ready() -> None:
        if not needs["database"]:
            raise RetryLaterError("gone")

    service = Service(name="trial", title="Trial", endpoints=[], is_ready=is_ready)
    async with shell(service=service) as client:
        assert (await client.get("/readyz")).status_code == HTTPStatus.OK
        needs["database"] = False
        check_refusal(await client.get("/readyz"), 503, 1000)
        assert (await client.get("/livez")).status_code == HTTPStatus.OK


async def test_logs_and_metrics_tell_of_requests_without_saying_who_or_what() -> None:
    registry = CollectorRegistry()
    with capture_logs() as events:
        async with shell(registry=registry) as client, serving(metrics_app(registry)) as inside:
            await client.post("/v1/take", json={"padding": SECRET})
            await client.post("/v1/take", json={"padding": "bug"})
            await client.get("/v1/items/987654321")
            await client.get(f"/{SECRET}?{SECRET}")
            metrics = (await inside.get("/metrics")).text

    told = repr(events) + metrics
    assert {event["event"] for event in events} >= {"request_answered", "request_failed"}
    assert 'endpoint="/v1/items/{item}",method="GET",status="200"' in metrics
    for secret in (SECRET, "987654321", "127.0.0.1"):
        assert secret not in told
