"""``immuni radio check``, on adapters behind TCP sockets."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from bumble import hci

from immuni.ble import BroadcastPayload, BumbleRadio, open_adapter
from immuni.clock import ManualClock
from immuni.crypto import AEM, RPI
from scripts.reference.answers import TOLD
from tests.integration.ble.adapters import Adapters
from tests.unit.cli.command_line import Outcome, immuni

pytestmark = pytest.mark.anyio

CLOCK = ManualClock(datetime(2020, 6, 1, 12, tzinfo=UTC))
PAYLOAD = BroadcastPayload(RPI(b"R" * 16), AEM(b"meta"))
ADDRESS = bytes.fromhex("010203040506")
STRENGTH_ON_THIS_LINK = -50


@pytest.fixture
async def adapters() -> AsyncIterator[Adapters]:
    adapters = Adapters()
    yield adapters
    adapters.close()


async def check(*arguments: str) -> Outcome:
    """Run the command beside the loop that its adapter lives in."""
    return await asyncio.to_thread(immuni, "radio", "check", "--seconds", "1", *arguments)


async def neighbour(adapters: Adapters) -> BumbleRadio:
    """Return the radio of another phone, which broadcasts."""
    await adapters.plug_in("neighbour")
    radio = await open_adapter(adapters.address("neighbour"), CLOCK)
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    return radio


async def test_it_tells_what_an_adapter_hears_and_no_identifier(adapters: Adapters) -> None:
    other = await neighbour(adapters)
    await adapters.plug_in("own")

    outcome = await check("--adapter", adapters.address("own"))

    assert (outcome.code, outcome.err) == (0, "")
    assert "knows advertising sets" in outcome.out
    assert f"phones: 1, strongest: {STRENGTH_ON_THIS_LINK} dBm" in outcome.out
    assert PAYLOAD.rpi.hex() not in outcome.out
    assert ADDRESS.hex() not in outcome.out
    await other.close()


async def test_machines_learn_the_same(adapters: Adapters) -> None:
    other = await neighbour(adapters)
    await adapters.plug_in("own")

    outcome = await check("--adapter", adapters.address("own"), "--json")

    answer = outcome.json
    example = TOLD["radio check"].answers[0].example()
    assert isinstance(example, dict)
    assert answer.keys() == example.keys()
    assert (outcome.code, outcome.err) == (0, "")
    assert answer["ok"] is True
    assert answer["opened"] == adapters.address("own")
    assert 3 <= answer["broadcasts"] <= 5
    assert (answer["phones"], answer["strongest_rssi_dbm"]) == (1, STRENGTH_ON_THIS_LINK)
    assert PAYLOAD.rpi.hex() not in outcome.out
    await other.close()


async def test_silence_is_no_fault_and_the_adapter_is_given_back(adapters: Adapters) -> None:
    dongle = await adapters.plug_in("own")

    outcome = await check("--adapter", adapters.address("own"))

    assert outcome.code == 0
    assert "it heard exposure notification broadcasts: 0." in outcome.out
    assert not dongle.le_scan_enable
    assert not dongle.advertises


async def test_an_adapter_that_is_too_old_is_told_in_plain_words(adapters: Adapters) -> None:
    controller = await adapters.plug_in("old")
    controller.le_features &= ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

    outcome = await check("--adapter", adapters.address("old"))

    assert outcome.code == 1
    assert "knows no advertising sets (Bluetooth 5)" in outcome.err
    assert "many older ones do not" in outcome.out


async def test_an_adapter_that_does_not_exist_is_told_to_machines_as_described() -> None:
    outcome = await check("--adapter", "tcp-client:127.0.0.1:1", "--json")

    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.json["ok"] is False
    assert "'tcp-client:127.0.0.1:1'" in outcome.json["reason"]
    _, refused = TOLD["radio check"].answers
    example = refused.example()
    assert isinstance(example, dict)
    assert outcome.json.keys() == example.keys()


async def test_what_is_no_name_of_an_adapter_is_wrong_use() -> None:
    outcome = await check("--adapter", "hci0")

    assert (outcome.code, outcome.out) == (2, "")
    assert "hci-socket:0?" in outcome.err
