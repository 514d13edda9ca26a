"""The stand-in for DeviceCheck says what Apple says, over real HTTP."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import product
from typing import Any, Final

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from immuni.clock import ManualClock
from immuni.testing.apple import Fault, Mischief, When, device_of, device_token
from immuni.testing.apple.faults import Faults
from tests.apple import KEY_ID, TEAM_ID, Apple, answering_apple

pytestmark = pytest.mark.anyio

NOON: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)
QUERY, UPDATE = "/v1/query_two_bits", "/v1/update_two_bits"
BODY: Final = {"device_token": device_token("phone"), "transaction_id": "1", "timestamp": 1}
BAD_BEARERS: Final = ("team", "key", "stale", "future", "other key", "none", "symmetric", "no iat")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def apple(clock: ManualClock) -> AsyncIterator[Apple]:
    async with answering_apple(clock) as apple:
        yield apple


def bearer(apple: Apple, *, kind: str = "good") -> str:
    issued = NOON + {"stale": timedelta(minutes=-61), "future": timedelta(minutes=6)}.get(
        kind, timedelta(0)
    )
    header = {"alg": "ES256", "kid": "OTHER" if kind == "key" else KEY_ID}
    claims: dict[str, Any] = {"iss": "OTHER" if kind == "team" else TEAM_ID}
    if kind != "no iat":
        claims["iat"] = int(issued.timestamp())
    if kind == "none":
        return "Bearer eyJhbGciOiJub25lIn0.e30."
    if kind == "symmetric":
        secret = OctKey.import_key("s" * 32)
        return f"Bearer {jwt.encode({**header, 'alg': 'HS256'}, claims, secret)}"
    key = ECKey.generate_key("P-256") if kind == "other key" else apple.key
    return f"Bearer {jwt.encode(header, claims, key)}"


async def ask(apple: Apple, path: str, **members: object) -> httpx.Response:
    return await apple.http.post(
        path, json=BODY | members, headers={"Authorization": bearer(apple)}
    )


async def test_bits_are_kept_with_the_month_of_their_last_update(
    apple: Apple, clock: ManualClock
) -> None:
    never = await ask(apple, QUERY)
    assert (never.status_code, never.text) == (HTTPStatus.OK, "Failed to find bit state")

    written = await ask(apple, UPDATE, bit0=True, bit1=False)
    assert (written.status_code, written.content) == (HTTPStatus.OK, b"")

    clock.set(datetime(2020, 7, 3, tzinfo=UTC))
    apple.server.devices.update("other", bit0=True, bit1=True, today=clock.now().date())
    headers = {"Authorization": "Bearer " + _signed(apple, clock.now())}
    found = await apple.http.post(QUERY, json=BODY, headers=headers)
    assert found.json() == {"bit0": True, "bit1": False, "last_update_time": "2020-06"}


def _signed(apple: Apple, now: datetime) -> str:
    claims = {"iss": TEAM_ID, "iat": int(now.timestamp())}
    return jwt.encode({"alg": "ES256", "kid": KEY_ID}, claims, apple.key)


async def test_only_the_developers_own_fresh_signature_counts(apple: Apple) -> None:
    for kind in BAD_BEARERS:
        answer = await apple.http.post(
            QUERY, json=BODY, headers={"Authorization": bearer(apple, kind=kind)}
        )
        assert answer.status_code == HTTPStatus.UNAUTHORIZED, kind
        assert answer.text == "Unable to verify authorization token"
    assert apple.server.calls == {}


async def test_wrong_calls_are_refused_in_plain_text(apple: Apple) -> None:
    found = {
        "no bearer": await apple.http.post(QUERY, json=BODY),
        "a token of no device": await ask(apple, QUERY, device_token="AAAA"),
        "no token": await ask(apple, QUERY, device_token=None),
        "no time": await ask(apple, QUERY, timestamp="now"),
        "no bits": await ask(apple, UPDATE, bit0="yes", bit1=False),
    }
    assert {name: (each.status_code, each.text) for name, each in found.items()} == {
        "no bearer": (400, "Missing or badly formatted authorization token"),
        "a token of no device": (400, "Missing or incorrectly formatted device token payload"),
        "no token": (400, "Missing or incorrectly formatted device token payload"),
        "no time": (400, "Missing or incorrectly formatted time stamp"),
        "no bits": (400, "Missing or incorrectly formatted bits"),
    }


def test_tokens_of_one_device_differ_and_name_it() -> None:
    one, other = device_token("phone", b"1"), device_token("phone", b"2")
    assert one != other
    assert device_of(one) == device_of(other) == "phone"
    assert device_of("AAAA") is device_of("no base64") is None


async def test_a_fault_comes_before_or_after_the_update_as_commanded(apple: Apple) -> None:
    for mischief, when in product(Mischief, When):
        device = f"{mischief}-{when}"
        command = {"mischief": mischief, "when": when, "device": device, "number": 2, "status": 429}
        ordered = await apple.http.post("/command", json={"faults": [command]})
        assert ordered.status_code == HTTPStatus.NO_CONTENT

        assert await outcome(apple, device, bit0=False) == 200
        assert (
            await outcome(apple, device, bit0=True)
            == {
                Mischief.FAIL: 429,
                Mischief.GARBAGE: "Server error",
                Mischief.HANG: "ReadTimeout",
                Mischief.DROP: "RemoteProtocolError",
            }[mischief]
        )

        bits = apple.server.devices.query(device)
        assert bits is not None
        assert bits.bit0 is (when is When.AFTER)
        assert (await ask(apple, QUERY, device_token=device_token(device))).is_success


async def outcome(apple: Apple, device: str, *, bit0: bool) -> int | str:
    """Write bits, and return what came of it."""
    try:
        async with asyncio.timeout(20):
            answer = await apple.http.post(
                UPDATE,
                json=BODY | {"device_token": device_token(device), "bit0": bit0, "bit1": False},
                headers={"Authorization": bearer(apple)},
                timeout=httpx.Timeout(20, read=0.1 if apple.server.calls[device] else 20),
            )
    except httpx.HTTPError as error:
        return type(error).__name__
    return answer.text if answer.is_success and answer.text else answer.status_code


async def test_calls_take_as_long_as_commanded(apple: Apple) -> None:
    await apple.http.post("/command", json={"latency_milliseconds": 100})
    begun = time.monotonic()
    await ask(apple, QUERY)
    # Sleeps may be longer, never shorter.
    assert time.monotonic() - begun >= 0.1


async def test_a_command_that_makes_no_sense_is_refused(apple: Apple) -> None:
    assert (await apple.http.post("/command", json={"faults": [{}]})).status_code == 400


def test_one_fault_happens_as_often_as_it_says() -> None:
    faults = Faults()
    faults.add([Fault(mischief=Mischief.FAIL, times=2)])
    assert [faults.take("a", n) is not None for n in range(3)] == [True, True, False]
