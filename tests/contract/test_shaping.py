"""Shaped endpoints over real HTTP: what an observer, and a dummy, get to see."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from immuni.api import CheckOtp
from immuni.api.headers import DUMMY_DATA, parse_dummy_flag
from immuni.backend.contract import HttpSettings, contract, create_app
from immuni.backend.errors import OtpUnknownError, TooManyRequestsError
from immuni.backend.shaping import (
    ANSWER_BYTES,
    Gate,
    Shaping,
    ShapingMetrics,
    ShapingSettings,
)
from immuni.entropy import SystemEntropy
from immuni.web import Call, Endpoint, Method, Reply, Service
from tests.contract.serving import serving
from tests.contract.tls import make_certificate, observing

pytestmark = pytest.mark.anyio

FLOOR = timedelta(milliseconds=60)
DATE_LINE = len("date: Sat, 20 Jun 2020 12:00:00 GMT\r\n")


def closed(_source: str) -> None:
    raise TooManyRequestsError("too many", retry_after=timedelta(seconds=60))


async def _check(call: Call[CheckOtp]) -> Reply:
    parse_dummy_flag(call.headers.one(DUMMY_DATA))
    if call.body.padding == "slow":
        await asyncio.sleep(2 * FLOOR.total_seconds())
    if call.body.padding == "wrong":
        raise OtpUnknownError("code not authorised")
    return Reply(HTTPStatus.NO_CONTENT)


@asynccontextmanager
async def shaped(
    *,
    gates: tuple[Gate, ...] = (),
    registry: CollectorRegistry | None = None,
    certificate: tuple[Path, Path] | None = None,
    path: str = "/v1/check",
) -> AsyncIterator[httpx.AsyncClient]:
    registry = registry or CollectorRegistry()
    shaping = Shaping(
        settings=ShapingSettings(response_floor=FLOOR, response_mean=timedelta(milliseconds=5)),
        contract=contract(HttpSettings()),
        entropy=SystemEntropy(),
        metrics=ShapingMetrics(registry),
        gates=gates,
    )
    endpoint = Endpoint(
        method=Method.POST,
        path=path,
        summary="Check",
        handler=_check,
        request=CheckOtp,
        replies={HTTPStatus.NO_CONTENT: None},
        layer=shaping.layer(),
    )
    service = Service(name="trial", title="Trial", endpoints=[endpoint])
    app = create_app([service], settings=HttpSettings(), registry=registry)
    async with serving(app, certificate=certificate) as client:
        yield client


async def check(client: httpx.AsyncClient, padding: str, *, dummy: str = "0") -> httpx.Response:
    return await client.post("/v1/check", json={"padding": padding}, headers={DUMMY_DATA: dummy})


async def test_a_dummy_is_answered_before_anything_in_it_is_looked_at() -> None:
    async with shaped() as client:
        answer = await client.post(
            "/v1/check?x", content=b"no json at all", headers={DUMMY_DATA: "1"}
        )

        assert answer.status_code == HTTPStatus.NO_CONTENT


@pytest.mark.parametrize("headers", [{}, {DUMMY_DATA: "2"}, {DUMMY_DATA: "true"}])
async def test_who_does_not_say_whether_it_is_a_dummy_is_refused(headers: dict[str, str]) -> None:
    async with shaped() as client:
        answer = await client.post("/v1/check", json={}, headers=headers)

        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json()["error_code"] == 1001


async def test_no_answer_leaves_before_the_floor() -> None:
    async with shaped() as client:
        for padding, dummy in [("", "0"), ("wrong", "0"), ("", "1"), ("?", "0")]:
            begun = time.perf_counter()
            await check(client, padding, dummy=dummy)

            assert time.perf_counter() - begun >= FLOOR.total_seconds()


async def test_late_work_waits_for_the_next_moment_and_is_counted() -> None:
    registry = CollectorRegistry()
    async with shaped(registry=registry) as client:
        begun = time.perf_counter()
        await check(client, "slow")
        taken = time.perf_counter() - begun

    assert taken >= 2 * FLOOR.total_seconds()
    assert registry.get_sample_value(
        "immuni_response_overrun_total", {"endpoint": "/v1/check"}
    ) == pytest.approx(1)


async def test_a_closed_gate_shows_on_dummies_and_genuine_requests_alike() -> None:
    async with shaped(gates=(closed,)) as client:
        genuine, dummy = await check(client, ""), await check(client, "", dummy="1")

    for answer in (genuine, dummy):
        assert answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
        assert answer.headers["retry-after"] == "60"
        assert answer.json()["error_code"] == 1002


async def test_a_body_over_the_limit_is_refused_in_the_same_shape() -> None:
    async with shaped() as client:
        answer = await client.post("/v1/check", content=b" " * 262_145, headers={DUMMY_DATA: "1"})

        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert "immuni-padding" in answer.headers


async def test_hundreds_wait_at_once_without_waiting_for_each_other() -> None:
    async with shaped() as client:
        begun = time.perf_counter()
        answers = await asyncio.gather(*(check(client, "", dummy="1") for _ in range(100)))

        assert {answer.status_code for answer in answers} == {204}
        assert time.perf_counter() - begun < len(answers) * FLOOR.total_seconds()


async def test_all_answers_look_alike_from_outside(tmp_path: Path) -> None:
    def request(padding: str, dummy: str) -> bytes:
        body = b'{"padding":"%s"}' % padding.encode()
        return (
            b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Immuni-Dummy-Data: %s\r\nContent-Length: %d\r\n\r\n" % (dummy.encode(), len(body))
        ) + body

    size = ANSWER_BYTES + DATE_LINE
    async with (
        shaped(certificate=make_certificate(tmp_path)) as client,
        observing(client.base_url.host, client.base_url.port or 0) as observed,
    ):
        seen = [
            await observed.exchange(request(padding, dummy), length=size)
            for padding, dummy in [("", "0"), ("wrong", "0"), ("?", "0"), ("", "1"), ("x", "9")]
        ]

    assert [answer[:12] for _, answer in seen] == [
        b"HTTP/1.1 204",
        b"HTTP/1.1 401",
        b"HTTP/1.1 400",
        b"HTTP/1.1 204",
        b"HTTP/1.1 400",
    ]
    assert len({tuple(records) for records, _ in seen}) == 1
    assert len(seen[0][0]) == 1
    assert {len(answer) for _, answer in seen} == {size}
