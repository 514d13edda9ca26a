"""Our client of DeviceCheck against the stand-in: every odd answer, in time."""

from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from joserfc.jwk import ECKey

from immuni.backend.analytics.devicecheck.answers import Answer, Bits, DeviceState, Failure, Said
from immuni.backend.analytics.devicecheck.client import DeviceCheckClient, open_device_check
from immuni.backend.analytics.devicecheck.provider import ProviderToken
from immuni.backend.signing import SigningKeyError
from immuni.clock import ManualClock
from immuni.entropy import SystemEntropy
from immuni.testing.apple import Fault, Mischief, When, device_token
from tests.apple import KEY_ID, TEAM_ID, Apple, answering_apple

pytestmark = pytest.mark.anyio

NOON: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)
LONG: Final = timedelta(seconds=20)
TOKEN: Final = b64decode(device_token("phone"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def apple(clock: ManualClock) -> AsyncIterator[Apple]:
    async with answering_apple(clock) as apple:
        yield apple


@pytest.fixture
async def client(apple: Apple, clock: ManualClock) -> AsyncIterator[DeviceCheckClient]:
    async with apple.client(clock) as client:
        yield client


async def test_what_is_written_is_found_again_with_its_month(client: DeviceCheckClient) -> None:
    assert await client.query(TOKEN, within=LONG) == DeviceState(Bits.DEFAULT, None)
    for bits in Bits:
        assert await client.update(TOKEN, bits, within=LONG) is Said.WRITTEN
        assert await client.query(TOKEN, within=LONG) == DeviceState(bits, date(2020, 6, 1))


async def test_a_token_that_no_device_made_is_not_genuine(client: DeviceCheckClient) -> None:
    assert await client.query(b"nobody's", within=LONG) is Said.NOT_GENUINE
    assert await client.update(b"nobody's", Bits.DEFAULT, within=LONG) is Said.NOT_GENUINE


ODD_ANSWERS: Final[list[tuple[int, str, Answer]]] = [
    (400, "Missing or incorrectly formatted device token payload", Said.NOT_GENUINE),
    (400, "Bad Device Token", Said.NOT_GENUINE),
    (400, "Missing or incorrectly formatted time stamp", Failure.REJECTED),
    (400, "Missing or badly formatted authorization token", Failure.REJECTED),
    (401, "Unable to verify authorization token", Failure.UNAUTHORISED),
    (403, "", Failure.UNAUTHORISED),
    (429, "Too many requests", Failure.THROTTLED),
    (500, "Server error", Failure.SERVER_ERROR),
    (503, "device token service unavailable", Failure.SERVER_ERROR),
    (302, "", Failure.SERVER_ERROR),
    (200, "Failed to find bit state", DeviceState(Bits.DEFAULT, None)),
    (200, "Bit State Not Found\n", DeviceState(Bits.DEFAULT, None)),
    (200, "", Failure.GARBAGE),
    (200, "{}", Failure.GARBAGE),
    (200, '{"bit0": 1, "bit1": 0, "last_update_time": "2020-06"}', Failure.GARBAGE),
    (200, '{"bit0": true, "bit1": false, "last_update_time": "2020-13"}', Failure.GARBAGE),
    (200, '{"bit0": true, "bit1": false, "last_update_time": "0000-06"}', Failure.GARBAGE),
    (200, "x" * 100_000, Failure.GARBAGE),
]


async def test_each_odd_answer_of_a_query_is_told_from_the_others(
    apple: Apple, client: DeviceCheckClient
) -> None:
    for status, text, answer in ODD_ANSWERS:
        apple.server.faults.add([Fault(mischief=Mischief.FAIL, status=status, text=text)])
        assert await client.query(TOKEN, within=LONG) == answer, text


async def test_a_call_ends_in_time_whatever_the_server_does(
    apple: Apple, client: DeviceCheckClient
) -> None:
    apple.server.faults.add([Fault(mischief=Mischief.HANG, when=When.AFTER)])
    written = await client.update(TOKEN, Bits.IN_PROGRESS, within=timedelta(milliseconds=100))
    assert written is Failure.TIMED_OUT
    # Nobody was told, and it is written.
    assert (await client.query(TOKEN, within=LONG)) == DeviceState(
        Bits.IN_PROGRESS, date(2020, 6, 1)
    )


async def test_a_connection_that_breaks_is_a_failure_and_no_more(
    apple: Apple, client: DeviceCheckClient
) -> None:
    apple.server.faults.add([Fault(mischief=Mischief.DROP)])
    assert await client.query(TOKEN, within=LONG) is Failure.UNREACHABLE
    assert await client.query(TOKEN, within=LONG) == DeviceState(Bits.DEFAULT, None)


async def test_where_nobody_answers_it_is_unreachable(clock: ManualClock) -> None:
    provider = ProviderToken(ECKey.generate_key("P-256"), key_id=KEY_ID, team_id=TEAM_ID)
    async with open_device_check(
        "http://127.0.0.1:1", provider, calls=1, clock=clock, entropy=SystemEntropy()
    ) as client:
        assert await client.query(TOKEN, within=LONG) is Failure.UNREACHABLE


async def test_the_signed_token_is_made_anew_before_it_is_too_old(
    apple: Apple, client: DeviceCheckClient, clock: ManualClock
) -> None:
    provider = ProviderToken(apple.key, key_id=KEY_ID, team_id=TEAM_ID)
    first = provider.bearer(NOON)
    assert provider.bearer(NOON + timedelta(minutes=19)) == first
    assert provider.bearer(NOON + timedelta(minutes=20)) != first
    assert provider.bearer(NOON - timedelta(minutes=1)) != first
    for _ in range(5):
        assert isinstance(await client.query(TOKEN, within=LONG), DeviceState)
        clock.advance(timedelta(minutes=37))


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key.p8"
    pems = {
        "open": ECKey.generate_key("P-256").as_pem(private=True),
        "public": ECKey.generate_key("P-256").as_pem(private=False),
        "other curve": ECKey.generate_key("P-384").as_pem(private=True),
        "none": b"no key",
    }
    for what, pem in pems.items():
        file.write_bytes(pem)
        file.chmod(0o644 if what == "open" else 0o600)
        with pytest.raises(SigningKeyError):
            ProviderToken.read(file, key_id=KEY_ID, team_id=TEAM_ID)
    file.write_bytes(pems["open"])
    ProviderToken.read(file, key_id=KEY_ID, team_id=TEAM_ID)
