"""Every PDU on the virtual link is read: identifier and address always change together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from immuni.ble import (
    SCAN_DURATION,
    BroadcastPayload,
    BumbleRadio,
    PduOnAir,
    build_advertisement,
    is_non_resolvable,
    parse_advertisement,
)
from immuni.crypto import AEM, RPI
from immuni.framework import InactiveReason
from immuni.keys import interval_at
from tests.unit.framework.phones import NOON, World, identifiers, yes

pytestmark = pytest.mark.anyio

ROTATIONS = 1000
ROTATIONS_LAST = timedelta(days=10, hours=22)
LONGEST_INTERVAL = timedelta(milliseconds=270)
SHORTEST_INTERVAL = timedelta(milliseconds=200)


@dataclass(frozen=True)
class Seen:
    """One PDU, and when it was on the air."""

    at: datetime
    address: bytes
    data: bytes

    @property
    def rpi(self) -> bytes:
        return bytes(parse_advertisement(self.data).rpi)


def payload(number: int) -> BroadcastPayload:
    return BroadcastPayload(RPI(number.to_bytes(16)), AEM(b"meta"))


def watch(world: World, sender: str = "phone") -> list[Seen]:
    seen: list[Seen] = []

    def note(pdu: PduOnAir) -> None:
        if pdu.sender == sender:
            seen.append(Seen(world.clock.now(), pdu.address, pdu.data))

    world.air.observe(note)
    return seen


def changes(seen: Sequence[Seen]) -> list[Seen]:
    """Return the first PDU, and each that differs from the one before it in anything."""
    return [
        pdu
        for before, pdu in pairwise([None, *seen])
        if pdu is not None
        and (before is None or (before.address, before.data) != (pdu.address, pdu.data))
    ]


def faults(seen: Sequence[Seen]) -> set[str]:
    """Return everything in which these PDUs break the rules of rotation."""
    found = set()
    data_of, addresses_of = defaultdict(set), defaultdict(set)
    for pdu in seen:
        data_of[pdu.address].add(pdu.data)
        addresses_of[pdu.rpi].add(pdu.address)
        if not is_non_resolvable(pdu.address):
            found.add("an address is of another kind")
        if pdu.data != build_advertisement(parse_advertisement(pdu.data)):
            found.add("the advertising data is laid out differently")
    if any(len(each) > 1 for each in data_of.values()):
        found.add("an address has two identifiers or AEMs")
    if any(len(each) > 1 for each in addresses_of.values()):
        found.add("an identifier has two addresses")
    first = changes(seen)
    if len(first) != len({(pdu.address, pdu.data) for pdu in seen}):
        found.add("a pair came back after it was replaced")
    return found | faults_of_rhythm([pdu.at for pdu in first])


def faults_of_rhythm(instants: Sequence[datetime]) -> set[str]:
    found = set()
    for began, ended in pairwise(instants):
        rollover = datetime.combine(began.date() + timedelta(days=1), time(), UTC)
        if ended - began >= timedelta(minutes=20):
            found.add("a pair lived for too long")
        if ended > rollover:
            found.add("a pair outlived its key")
        if ended - began <= timedelta(minutes=10) and ended != rollover:
            found.add("a pair ended too soon")
    return found


async def test_a_thousand_rotations_break_no_rule(world: World) -> None:
    seen = watch(world)
    await world.add_active("phone")
    # A neighbour that listens, so that there are PDUs between the changes as well.
    await world.add_active("neighbour", at_metres=1)
    await world.live(timedelta(hours=18))
    await world.remove("neighbour")
    await world.live(ROTATIONS_LAST - timedelta(hours=18))

    first = changes(seen)
    assert len(first) > ROTATIONS
    assert len(seen) > len(first) + 3000
    assert faults(seen) == set()


async def test_a_pdu_comes_every_200_to_270_milliseconds(world: World) -> None:
    await world.add_active("phone")
    listener = await world.air.radio("listener", world.clock)
    world.air.place("listener", 1, 0)

    for _ in range(20):
        await world.live(timedelta(minutes=9))
        heard = await listener.scan(SCAN_DURATION)
        assert SCAN_DURATION / LONGEST_INTERVAL <= len(heard) <= SCAN_DURATION / SHORTEST_INTERVAL


async def test_a_radio_that_does_not_fall_silent_in_between_breaks_the_rules(world: World) -> None:
    """Without this the test of a thousand rotations would prove nothing."""
    seen = watch(world)
    radio = await world.air.radio("phone", world.clock)
    await radio.start_broadcast(payload(1), bytes.fromhex("010203040506"))
    world.clock.advance(timedelta(minutes=15))

    assert isinstance(radio._radio, BumbleRadio)
    radio._radio._broadcasting = False  # so that it leaves out the stop
    await radio.start_broadcast(payload(2), bytes.fromhex("0a0b0c0d0e0f"))

    assert {"an address has two identifiers or AEMs", "an identifier has two addresses"} <= faults(
        seen
    )


@pytest.mark.parametrize(
    ("pdus", "fault"),
    [
        ([(0, 1, 1), (15, 1, 2)], "an address has two identifiers or AEMs"),
        ([(0, 1, 1), (15, 2, 1)], "an identifier has two addresses"),
        ([(0, 1, 1), (15, 2, 2), (30, 1, 1)], "a pair came back after it was replaced"),
        ([(0, 1, 1), (10, 2, 2)], "a pair ended too soon"),
        ([(0, 1, 1), (20, 2, 2)], "a pair lived for too long"),
        ([(705, 1, 1), (721, 2, 2)], "a pair outlived its key"),
        ([(0, 0x400000000000, 1)], "an address is of another kind"),
    ],
)
def test_every_rule_of_rotation_is_checked(pdus: list[tuple[int, int, int]], fault: str) -> None:
    seen = [
        Seen(
            NOON + timedelta(minutes=at),
            address.to_bytes(6, "little"),
            build_advertisement(payload(rpi)),
        )
        for at, address, rpi in pdus
    ]

    assert faults(seen) == {fault}


async def test_every_identifier_is_that_of_its_time_and_of_one_key_a_day(world: World) -> None:
    seen = watch(world)
    await world.add_active("phone")

    await world.live(timedelta(days=3))

    keys = [own.tek for own in world.stores["phone"].keys.all()]
    assert len(keys) == 4
    for pdu in changes(seen):
        (tek,) = [key for key in keys if key.covers(interval_at(pdu.at))]
        place = interval_at(pdu.at) - tek.rolling_start_number
        assert identifiers(tek)[place] == pdu.rpi


async def test_a_restart_goes_on_with_the_same_identifier_and_address(world: World) -> None:
    seen = watch(world)
    await world.add_active("phone")
    await world.live(timedelta(minutes=3))
    await world.remove("phone")
    await world.live(timedelta(minutes=2))
    restarted = await world.add("phone")
    await world.live(timedelta(minutes=4))

    assert restarted.status().active
    assert len(changes(seen)) == 1
    assert world.clock.now() == NOON + timedelta(minutes=9)


async def test_a_stop_and_a_start_do_not_link_two_addresses(world: World) -> None:
    seen = watch(world)
    phone = await world.add_active("phone")
    for _ in range(50):
        await world.live(timedelta(minutes=2))
        await phone.stop()
        await world.live(timedelta(minutes=1))
        await phone.start()

    of_phone = changes(seen)
    rpis, addresses = {pdu.rpi for pdu in of_phone}, {pdu.address for pdu in of_phone}
    assert len(of_phone) == len(rpis) == len(addresses)


@pytest.mark.parametrize("back", [timedelta(minutes=11), timedelta(minutes=50), timedelta(days=1)])
async def test_a_clock_that_is_set_back_brings_no_identifier_back(
    back: timedelta, world: World
) -> None:
    seen = watch(world)
    await world.add_active("phone")
    await world.live(timedelta(hours=2))
    world.clock.advance(-back)
    await world.live(timedelta(hours=1))
    world.clock.advance(back)
    await world.live(timedelta(hours=1))

    of_phone = changes(seen)
    rpis, addresses = {pdu.rpi for pdu in of_phone}, {pdu.address for pdu in of_phone}
    assert len(of_phone) == len(rpis) == len(addresses)
    assert len(of_phone) > 12


async def test_a_clock_that_goes_back_again_and_again_makes_a_phone_silent_and_not_known(
    world: World,
) -> None:
    seen = watch(world)
    phone = await world.add_active("phone")
    for _ in range(6):
        await world.live(timedelta(minutes=30))
        world.clock.advance(-timedelta(minutes=30))

    await world.live(timedelta())
    assert phone.status().reasons == {InactiveReason.CLOCK_TURNED_BACK}
    await world.live(timedelta(hours=1))

    assert phone.status().active
    of_phone = changes(seen)
    assert len(of_phone) == len({pdu.rpi for pdu in of_phone})


async def test_a_key_that_was_handed_out_is_never_on_the_air_again(world: World) -> None:
    seen = watch(world)
    phone = await world.add_active("phone")
    await world.live(timedelta(hours=2))
    before = len(seen)

    history = await phone.tek_history(yes)
    await world.live(timedelta(hours=12))

    (cut,) = history
    handed_out = {bytes(rpi) for rpi in identifiers(replace(cut, rolling_period=144))}
    heard_before = {pdu.rpi for pdu in seen[:before]}
    heard_after = {pdu.rpi for pdu in seen[before:]}
    assert heard_before <= handed_out
    assert not heard_after & handed_out
    assert cut.rolling_period == 14 * 6 + 1
    assert len(heard_after) > 30
