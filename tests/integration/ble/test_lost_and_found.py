"""A phone whose adapter is lost and found again, behind a real transport."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from immuni.ble import (
    BroadcastPayload,
    RadioError,
    RadioLostError,
    ReopeningRadio,
    open_adapter,
    parse_advertisement,
)
from immuni.clock import ManualClock
from immuni.crypto import AEM, RPI
from immuni.entropy import SeededEntropy
from immuni.framework import ExposureNotificationFramework, InactiveReason
from tests.integration.ble.adapters import Adapters, until
from tests.unit.framework.phones import NOON, open_store

pytestmark = pytest.mark.anyio

PAYLOAD = BroadcastPayload(RPI(b"R" * 16), AEM(b"meta"))
ADDRESS = bytes.fromhex("010203040506")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def radio(adapters: Adapters) -> AsyncIterator[ReopeningRadio]:
    await adapters.plug_in("own")
    clock = ManualClock(NOON)
    radio = ReopeningRadio(lambda: open_adapter(adapters.address("own"), clock))
    yield radio
    await radio.close()


class Phone:
    """A phone on such a radio; only what it broadcasts is driven."""

    def __init__(self, folder: Path, adapters: Adapters) -> None:
        self.clock = ManualClock(NOON)
        self.radio = ReopeningRadio(partial(open_adapter, adapters.address("own"), self.clock))
        self._adapters = adapters
        self.framework = ExposureNotificationFramework(
            store=open_store(folder),
            radio=self.radio,
            clock=self.clock,
            entropy=SeededEntropy(1),
            verification_keys=(),
        )
        self.broadcasting, self.silencing, *_ = self.framework.duties

    async def do_what_is_due(self) -> None:
        for duty in (self.broadcasting, self.silencing):
            due = duty.next_due()
            if due is not None and due <= self.clock.now():
                await duty.act(self.clock.now())

    async def notice_the_loss(self) -> None:
        await until(lambda: not self.radio.broadcasting)

    @property
    def reasons(self) -> frozenset[InactiveReason]:
        return self.framework.status().reasons

    def pairs(self) -> list[tuple[bytes, bytes]]:
        """Return the pairs of address and identifier on the link, in the order of time."""
        pdus = self._adapters.link.pdus
        pairs = [(pdu.address, bytes(parse_advertisement(pdu.data).rpi)) for pdu in pdus]
        return list(dict.fromkeys(pairs))


@pytest.fixture
async def phone(adapters: Adapters, tmp_path: Path) -> AsyncIterator[Phone]:
    await adapters.plug_in("own")
    phone = Phone(tmp_path / "phone", adapters)
    await phone.framework.authorise()
    await phone.framework.start()
    yield phone
    await phone.framework.close()


async def on_the_link(adapters: Adapters, count: int) -> None:
    """Wait until so many PDUs more are on the link."""
    wanted = len(adapters.link.pdus) + count
    await until(lambda: len(adapters.link.pdus) >= wanted)


async def test_a_phone_goes_on_with_the_same_pair_while_that_stands(
    phone: Phone, adapters: Adapters
) -> None:
    await on_the_link(adapters, 1)
    phone.clock.advance(2 * MINUTE)
    adapters.unplug("own")
    await phone.notice_the_loss()
    await phone.do_what_is_due()
    assert phone.reasons == {InactiveReason.RADIO_LOST}

    await adapters.plug_in("own")
    phone.clock.advance(MINUTE)
    await phone.do_what_is_due()

    assert phone.reasons == set()
    await on_the_link(adapters, 1)
    assert len(phone.pairs()) == 1


async def test_a_phone_goes_on_with_a_new_pair_where_the_old_one_is_over(
    phone: Phone, adapters: Adapters
) -> None:
    await on_the_link(adapters, 1)
    phone.clock.advance(2 * MINUTE)
    adapters.unplug("own")
    await phone.notice_the_loss()
    for _ in range(20):
        await phone.do_what_is_due()
        assert phone.reasons == {InactiveReason.RADIO_LOST}
        phone.clock.advance(MINUTE)

    await adapters.plug_in("own")
    await phone.do_what_is_due()

    assert phone.reasons == set()
    await on_the_link(adapters, 1)
    (old_address, old_rpi), (address, rpi) = phone.pairs()
    assert old_address != address
    assert old_rpi != rpi


async def test_an_adapter_that_is_back_at_once_is_no_fault(
    phone: Phone, adapters: Adapters
) -> None:
    phone.clock.advance(2 * MINUTE)
    adapters.unplug("own")
    await phone.notice_the_loss()
    dongle = await adapters.plug_in("own")

    await phone.do_what_is_due()

    assert phone.reasons == set()
    assert dongle.advertises


async def test_a_phone_that_starts_without_an_adapter_begins_when_there_is_one(
    adapters: Adapters, tmp_path: Path
) -> None:
    await adapters.plug_in("own")
    adapters.unplug("own")
    phone = Phone(tmp_path / "phone", adapters)
    await phone.framework.authorise()
    await phone.framework.start()
    assert phone.reasons == {InactiveReason.RADIO_LOST}

    dongle = await adapters.plug_in("own")
    phone.clock.advance(MINUTE)
    await phone.do_what_is_due()

    assert phone.reasons == set()
    assert dongle.advertises
    await phone.framework.close()


async def test_a_phone_that_could_not_stop_goes_on_trying_until_it_is_silent(
    phone: Phone, adapters: Adapters
) -> None:
    dongle = adapters.port("own").dongle
    assert dongle is not None
    adapters.cut("own")
    await phone.notice_the_loss()
    await phone.framework.stop()
    for _ in range(3):
        assert phone.reasons == {InactiveReason.NOT_STARTED, InactiveReason.RADIO_LOST}
        assert dongle.advertises
        await phone.do_what_is_due()
        phone.clock.advance(MINUTE)

    await adapters.plug_in("own")
    await phone.do_what_is_due()

    assert not dongle.advertises
    assert phone.reasons == {InactiveReason.NOT_STARTED}
    assert [phone.broadcasting.next_due(), phone.silencing.next_due()] == [None, None]


async def test_two_that_find_the_adapter_lost_open_it_once(
    radio: ReopeningRadio, adapters: Adapters
) -> None:
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    adapters.unplug("own")
    await until(lambda: not radio.broadcasting)
    await adapters.plug_in("own")

    await asyncio.gather(
        radio.start_broadcast(PAYLOAD, ADDRESS), radio.scan(timedelta(0)), radio.open()
    )

    assert len(adapters.port("own").connections) == 2
    assert adapters.port("own").open_connections == 1


async def test_never_are_two_transports_open(radio: ReopeningRadio, adapters: Adapters) -> None:
    for _ in range(5):
        await radio.scan(timedelta(0))
        assert adapters.port("own").open_connections == 1
        adapters.unplug("own")
        with pytest.raises(RadioError):
            await radio.scan(timedelta(0))
        await adapters.plug_in("own")

    await radio.close()
    await until(lambda: not adapters.port("own").open_connections)


async def test_an_adapter_that_refuses_to_stop_is_opened_anew(
    radio: ReopeningRadio, adapters: Adapters
) -> None:
    dongle = adapters.port("own").dongle
    assert dongle is not None
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    dongle.refuses_to_stop = True

    with pytest.raises(RadioError, match="refused"):
        await radio.start_broadcast(PAYLOAD, ADDRESS[::-1])
    assert not dongle.advertises
    await radio.start_broadcast(PAYLOAD, ADDRESS[::-1])

    assert dongle.advertises
    assert {pdu.address for pdu in adapters.link.pdus} <= {ADDRESS, ADDRESS[::-1]}
    assert len(adapters.port("own").connections) == 2
    await until(lambda: adapters.port("own").open_connections == 1)


async def test_a_loss_in_the_middle_of_a_scan_is_an_error_and_then_over(
    radio: ReopeningRadio, adapters: Adapters
) -> None:
    dongle = adapters.port("own").dongle
    assert dongle is not None
    scan = asyncio.create_task(radio.scan(timedelta(milliseconds=20)))
    await until(lambda: dongle.le_scan_enable)
    adapters.unplug("own")

    with pytest.raises(RadioLostError):
        await scan
    await adapters.plug_in("own")
    assert await radio.scan(timedelta(0)) == []


async def test_what_the_adapter_says_of_its_power_is_known_once_it_is_open(
    radio: ReopeningRadio, adapters: Adapters
) -> None:
    assert radio.tx_power_dbm == 0
    assert adapters.port("own").connections == []

    await radio.stop_broadcast()
    assert adapters.port("own").connections == []

    await radio.open()
    assert adapters.port("own").open_connections == 1


async def test_a_closed_radio_stays_closed(radio: ReopeningRadio, adapters: Adapters) -> None:
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    dongle = adapters.port("own").dongle
    assert dongle is not None

    await radio.close()
    await radio.close()

    assert not dongle.advertises
    with pytest.raises(RadioLostError, match="closed"):
        await radio.start_broadcast(PAYLOAD, ADDRESS)


async def test_an_adapter_out_of_reach_is_silenced_when_the_radio_is_closed(
    radio: ReopeningRadio, adapters: Adapters
) -> None:
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    dongle = adapters.port("own").dongle
    assert dongle is not None
    adapters.cut("own")
    await until(lambda: not radio.broadcasting)
    await adapters.plug_in("own")
    assert dongle.advertises

    await radio.close()

    assert not dongle.advertises
