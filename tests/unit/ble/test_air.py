"""Radios on virtual air: real HCI up to the antenna."""

from datetime import UTC, datetime

import pytest

from immuni.ble import (
    SCAN_DURATION,
    BroadcastPayload,
    BumbleRadio,
    PduOnAir,
    RadioError,
    RadioLostError,
    Shadowing,
    UnknownPhoneError,
    VirtualAir,
    build_advertisement,
)
from immuni.clock import ManualClock
from immuni.crypto import AEM, RPI

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)
ADDRESS = bytes.fromhex("010203040506")
OTHER_ADDRESS = bytes.fromhex("0a0b0c0d0e0f")
PAYLOAD = BroadcastPayload(RPI(b"R" * 16), AEM(b"meta"))
OTHER_PAYLOAD = BroadcastPayload(RPI(b"S" * 16), AEM(b"data"))
PDUS_IN_A_SCAN = 16


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


async def test_near_phones_hear_every_advertising_event_of_a_scan(clock: ManualClock) -> None:
    air = VirtualAir()
    one, other = await air.radio("one", clock), await air.radio("other", clock)
    air.place("one", 0, 0)
    air.place("other", 0.8, 0.6)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    heard = await other.scan(SCAN_DURATION)

    assert len(heard) == PDUS_IN_A_SCAN
    assert {each.service_data for each in heard} == {PAYLOAD.rpi + PAYLOAD.aem}
    assert {each.address for each in heard} == {ADDRESS}
    assert {each.at for each in heard} == {NOON}


@pytest.mark.parametrize(("metres", "loss_db"), [(1, 54), (2, 58), (10, 66), (40, 73)])
async def test_distance_attenuates(clock: ManualClock, metres: float, loss_db: int) -> None:
    air = VirtualAir()
    one = await air.radio("one", clock, tx_power_dbm=-12)
    other = await air.radio("other", clock)
    air.place("one", 0, 0)
    air.place("other", metres, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    heard = await other.scan(SCAN_DURATION)

    assert one.tx_power_dbm == -12
    assert {one.tx_power_dbm - each.rssi_dbm for each in heard} == {loss_db}


async def test_far_phones_hear_nothing(clock: ManualClock) -> None:
    air = VirtualAir()
    one, other = await air.radio("one", clock), await air.radio("other", clock)
    air.place("one", 0, 0)
    air.place("other", 60, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    assert await other.scan(SCAN_DURATION) == []


async def test_a_phone_that_is_nowhere_hears_nothing(clock: ManualClock) -> None:
    air = VirtualAir()
    one, other = await air.radio("one", clock), await air.radio("other", clock)
    air.place("one", 0, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    assert await other.scan(SCAN_DURATION) == []


async def test_a_phone_does_not_hear_itself(clock: ManualClock) -> None:
    air = VirtualAir()
    one = await air.radio("one", clock)
    air.place("one", 0, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    assert await one.scan(SCAN_DURATION) == []


async def test_nobody_hears_a_radio_that_fell_silent(clock: ManualClock) -> None:
    air = VirtualAir()
    one, other = await air.radio("one", clock), await air.radio("other", clock)
    air.place("one", 0, 0)
    air.place("other", 1, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)
    await one.stop_broadcast()

    assert await other.scan(SCAN_DURATION) == []


async def test_all_pdus_of_a_scan_come_in_alike_and_each_scan_differs(clock: ManualClock) -> None:
    air = VirtualAir(shadowing=Shadowing(1))
    one, other = await air.radio("one", clock), await air.radio("other", clock)
    air.place("one", 0, 0)
    air.place("other", 1, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    scans = [await other.scan(SCAN_DURATION) for _ in range(20)]

    assert all(len({each.rssi_dbm for each in heard}) == 1 for heard in scans)
    assert len({heard[0].rssi_dbm for heard in scans}) > 5


async def test_pdus_get_lost_one_by_one(clock: ManualClock) -> None:
    air = VirtualAir(shadowing=Shadowing(1, 0, 0, packet_loss=0.25))
    one, other = await air.radio("one", clock), await air.radio("other", clock)
    air.place("one", 0, 0)
    air.place("other", 1, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    counts = [len(await other.scan(SCAN_DURATION)) for _ in range(50)]

    assert len(set(counts)) > 3
    assert 50 * PDUS_IN_A_SCAN * 0.7 < sum(counts) < 50 * PDUS_IN_A_SCAN * 0.8


async def test_identifier_and_address_never_mix(clock: ManualClock) -> None:
    air = VirtualAir()
    pdus: list[PduOnAir] = []
    air.observe(pdus.append)
    radio = await air.radio("one", clock)

    await radio.start_broadcast(PAYLOAD, ADDRESS)
    await radio.start_broadcast(OTHER_PAYLOAD, OTHER_ADDRESS)
    await radio.stop_broadcast()

    assert {(pdu.address, pdu.data) for pdu in pdus} == {
        (ADDRESS, build_advertisement(PAYLOAD)),
        (OTHER_ADDRESS, build_advertisement(OTHER_PAYLOAD)),
    }


async def test_a_lost_adapter_is_a_typed_error(clock: ManualClock) -> None:
    air = VirtualAir()
    radio = await air.radio("one", clock)
    await radio.start_broadcast(PAYLOAD, ADDRESS)

    air.unplug("one")

    assert not radio.broadcasting
    with pytest.raises(RadioLostError):
        await radio.scan(SCAN_DURATION)
    with pytest.raises(RadioLostError):
        await radio.start_broadcast(OTHER_PAYLOAD, OTHER_ADDRESS)


async def test_an_adapter_that_comes_back_is_silent_until_told(clock: ManualClock) -> None:
    air = VirtualAir()
    one, other = await air.radio("one", clock), await air.radio("other", clock)
    air.place("one", 0, 0)
    air.place("other", 1, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)

    air.unplug("one")
    air.plug_in("one")

    assert not one.broadcasting
    assert await other.scan(SCAN_DURATION) == []
    await one.start_broadcast(PAYLOAD, ADDRESS)
    assert one.broadcasting
    assert await other.scan(SCAN_DURATION)


async def test_closing_a_lost_radio_is_no_error(clock: ManualClock) -> None:
    air = VirtualAir()
    radio = await air.radio("one", clock)
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    air.unplug("one")

    await radio.close()

    with pytest.raises(UnknownPhoneError):
        air.place("one", 0, 0)


async def test_a_name_is_used_once(clock: ManualClock) -> None:
    air = VirtualAir()
    radio = await air.radio("one", clock)

    with pytest.raises(ValueError, match="'one' has a radio already"):
        await air.radio("one", clock)

    await radio.close()
    await air.radio("one", clock)


async def test_an_order_of_commands_that_leaks_does_leak_on_this_air(clock: ManualClock) -> None:
    """Without this the test of rotation would prove nothing."""
    air = VirtualAir()
    pdus: list[PduOnAir] = []
    air.observe(pdus.append)
    radio = await air.radio("one", clock)
    await radio.start_broadcast(PAYLOAD, ADDRESS)

    assert isinstance(radio._radio, BumbleRadio)
    radio._radio._broadcasting = False  # so that it leaves out the stop
    await radio.start_broadcast(OTHER_PAYLOAD, OTHER_ADDRESS)

    assert (OTHER_ADDRESS, build_advertisement(PAYLOAD)) in {
        (pdu.address, pdu.data) for pdu in pdus
    }


async def test_a_refusal_is_a_typed_error(clock: ManualClock) -> None:
    air = VirtualAir()
    radio = await air.radio("one", clock)
    air._controllers["one"].advertising_sets.clear()

    with pytest.raises(RadioError, match="refused"):
        await radio.start_broadcast(PAYLOAD, ADDRESS)
