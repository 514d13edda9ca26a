"""Radios on simulated air."""

from datetime import UTC, datetime, timedelta

import pytest

from immuni.ble import (
    SCAN_DURATION,
    AdvertisementHeard,
    BroadcastPayload,
    MalformedPayloadError,
    Radio,
    RadioLostError,
    Shadowing,
    SimulatedAir,
    SimulatedRadio,
    UnknownPhoneError,
)
from immuni.clock import ManualClock
from immuni.crypto import AEM, RPI

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)
CLOCK = ManualClock(NOON)
ADDRESS = bytes.fromhex("010203040506")
PAYLOAD = BroadcastPayload(RPI(b"R" * 16), AEM(b"meta"))
OTHER_PAYLOAD = BroadcastPayload(RPI(b"S" * 16), AEM(b"data"))


async def pair(air: SimulatedAir, metres: float = 1.0) -> tuple[SimulatedRadio, SimulatedRadio]:
    """Return a radio that broadcasts, and one that can listen to it."""
    one, other = await air.radio("one", CLOCK), await air.radio("other", CLOCK)
    air.place("one", 0, 0)
    air.place("other", metres, 0)
    await one.start_broadcast(PAYLOAD, ADDRESS)
    return one, other


async def strengths(radio: Radio, scans: int = 1) -> list[int]:
    return [each.rssi_dbm for _ in range(scans) for each in await radio.scan(SCAN_DURATION)]


async def test_a_scan_reports_each_sender_once() -> None:
    _, other = await pair(SimulatedAir())

    assert await other.scan(SCAN_DURATION) == [
        AdvertisementHeard(PAYLOAD.rpi + PAYLOAD.aem, -20 - 54, NOON, ADDRESS)
    ]


@pytest.mark.parametrize(("metres", "loss_db"), [(1, 54), (10, 66), (40, 73)])
async def test_distance_attenuates(metres: float, loss_db: int) -> None:
    air = SimulatedAir()
    _, other = await pair(air, metres)

    assert await strengths(other) == [-20 - loss_db]


async def test_far_phones_and_those_that_are_nowhere_hear_nothing() -> None:
    air = SimulatedAir()
    _, far = await pair(air, 60)
    nowhere = await air.radio("nowhere", CLOCK)

    assert await far.scan(SCAN_DURATION) == []
    assert await nowhere.scan(SCAN_DURATION) == []


async def test_bodies_and_walls_take_their_part_both_ways() -> None:
    air = SimulatedAir()
    one, other = await pair(air)
    await other.start_broadcast(OTHER_PAYLOAD, ADDRESS)

    air.cover("one", 3)
    assert await strengths(other) == await strengths(one) == [-77]
    air.cover("other", 4)
    assert await strengths(other) == await strengths(one) == [-81]
    air.separate("other", "one", 10)
    assert await strengths(other) == await strengths(one) == [-91]
    air.separate("one", "other", 14)
    assert await strengths(other) == await strengths(one) == []


async def test_calibration_changes_what_is_reported_and_not_what_is_heard() -> None:
    air = SimulatedAir()
    one, other = await pair(air)
    await other.start_broadcast(OTHER_PAYLOAD, ADDRESS)

    air.calibrate("other", -25.0)

    assert await strengths(other) == [-74 - 25]
    assert await strengths(one) == [-74]


async def test_a_strength_stays_in_the_range_of_the_specification() -> None:
    air = SimulatedAir()
    _, other = await pair(air)

    air.calibrate("other", -100)
    assert await strengths(other) == [-127]
    air.calibrate("other", 300)
    assert await strengths(other) == [126]


async def test_the_same_seed_gives_the_same_receptions() -> None:
    heard = []
    for seed in (1, 1, 2):
        air = SimulatedAir(shadowing=Shadowing(seed, packet_loss=0.9))
        _, other = await pair(air)
        heard.append(await strengths(other, scans=50))

    assert heard[0] == heard[1] != heard[2]
    assert len(set(heard[0])) > 5


async def test_who_else_is_there_changes_nothing_between_two_phones() -> None:
    heard = []
    for crowd in (0, 30):
        air = SimulatedAir(floor_dbm=-200, shadowing=Shadowing(1, scan_deviation_db=0))
        for number in range(crowd):
            radio = await air.radio(f"passer-by {number}", CLOCK)
            air.place(f"passer-by {number}", number, 1)
            await radio.start_broadcast(OTHER_PAYLOAD, ADDRESS)
            await radio.scan(SCAN_DURATION)
        _, other = await pair(air)
        heard.append(
            [
                each.rssi_dbm
                for each in await other.scan(SCAN_DURATION)
                if each.service_data.startswith(PAYLOAD.rpi)
            ]
        )

    assert heard[0] == heard[1]
    assert len(heard[0]) == 1


async def test_a_sender_is_missed_only_where_every_pdu_of_the_scan_is_lost() -> None:
    air = SimulatedAir(shadowing=Shadowing(3, 0, 0, packet_loss=0.9))
    _, other = await pair(air)

    heard = await strengths(other, scans=1000)

    # 16 PDUs a scan, each lost nine times out of ten.
    assert len(heard) == pytest.approx(1000 * (1 - 0.9**16), abs=50)
    assert await other.scan(timedelta(milliseconds=200)) == []


async def test_a_radio_says_whether_it_broadcasts() -> None:
    one, other = await pair(SimulatedAir())

    assert one.broadcasting
    assert not other.broadcasting
    await one.stop_broadcast()
    assert not one.broadcasting
    assert await other.scan(SCAN_DURATION) == []


async def test_a_new_broadcast_takes_the_place_of_the_former() -> None:
    one, other = await pair(SimulatedAir())

    await one.start_broadcast(OTHER_PAYLOAD, ADDRESS[::-1])

    (heard,) = await other.scan(SCAN_DURATION)
    assert heard.service_data == OTHER_PAYLOAD.rpi + OTHER_PAYLOAD.aem
    assert heard.address == ADDRESS[::-1]


async def test_what_cannot_be_sent_is_refused() -> None:
    one, _ = await pair(SimulatedAir())

    with pytest.raises(MalformedPayloadError):
        await one.start_broadcast(BroadcastPayload(RPI(b"R" * 16), AEM(b"odd")), ADDRESS)


async def test_a_broken_radio_is_silent_until_it_is_repaired_and_told() -> None:
    air = SimulatedAir()
    one, other = await pair(air)

    air.unplug("one")
    assert await other.scan(SCAN_DURATION) == []
    for use in (one.open(), one.scan(SCAN_DURATION), one.start_broadcast(PAYLOAD, ADDRESS)):
        with pytest.raises(RadioLostError):
            await use
    air.plug_in("one")
    await one.open()
    assert await other.scan(SCAN_DURATION) == []
    await one.start_broadcast(PAYLOAD, ADDRESS)
    assert await other.scan(SCAN_DURATION)


async def test_a_closed_radio_leaves_the_air() -> None:
    air = SimulatedAir()
    one, other = await pair(air)

    await one.close()
    await one.close()
    await one.stop_broadcast()

    assert not one.broadcasting
    assert await other.scan(SCAN_DURATION) == []
    with pytest.raises(UnknownPhoneError):
        air.place("one", 0, 0)
    with pytest.raises(RadioLostError):
        await one.open()
    await air.radio("one", CLOCK)


async def test_a_name_is_used_once() -> None:
    air = SimulatedAir()
    await air.radio("one", CLOCK)

    with pytest.raises(ValueError, match="'one' has a radio already"):
        await air.radio("one", CLOCK)


@pytest.mark.parametrize(
    "change",
    [
        lambda air: air.place("nobody", 0, 0),
        lambda air: air.cover("nobody", 1),
        lambda air: air.calibrate("nobody", 1),
        lambda air: air.separate("one", "nobody", 1),
        lambda air: air.unplug("nobody"),
    ],
)
async def test_nothing_is_done_to_a_phone_that_is_not_there(change: object) -> None:
    air = SimulatedAir()
    await pair(air)

    assert callable(change)
    with pytest.raises(UnknownPhoneError):
        change(air)
