"""Every PDU on the virtual link is read: identifier and address always change together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from immuni.ble import PduOnAir, is_non_resolvable, parse_advertisement
from immuni.keys import interval_at
from tests.unit.framework.phones import NOON, World, identifiers, yes

pytestmark = pytest.mark.anyio

ROTATIONS = 200


def watch(world: World) -> list[tuple[datetime, PduOnAir]]:
    seen: list[tuple[datetime, PduOnAir]] = []
    world.air.observe(lambda pdu: seen.append((world.clock.now(), pdu)))
    return seen


def changes(seen: list[tuple[datetime, PduOnAir]]) -> list[tuple[datetime, bytes, bytes]]:
    """Return time, identifier and address of each first PDU after a change of either."""
    found: list[tuple[datetime, bytes, bytes]] = []
    for at, pdu in seen:
        rpi = bytes(parse_advertisement(pdu.data).rpi)
        if not found or found[-1][1:] != (rpi, pdu.address):
            found.append((at, rpi, pdu.address))
    return found


async def test_identifier_and_address_change_together_every_time(world: World) -> None:
    seen = watch(world)
    await world.add_active("phone")
    # A neighbour that listens, so that there are PDUs between the changes as well.
    await world.add_active("neighbour", at_metres=1)
    await world.live(timedelta(days=1))
    await world.remove("neighbour")
    await world.live(timedelta(days=2))

    of_phone = changes([(at, pdu) for at, pdu in seen if pdu.sender == "phone"])
    rpis = [rpi for _, rpi, _ in of_phone]
    addresses = [address for _, _, address in of_phone]
    assert len(of_phone) > ROTATIONS
    assert len(set(rpis)) == len(set(addresses)) == len(of_phone)
    assert all(is_non_resolvable(address) for address in addresses)


async def test_changes_come_in_time_and_at_midnight(world: World) -> None:
    seen = watch(world)
    await world.add_active("phone")

    await world.live(timedelta(days=3))

    instants = [at for at, _, _ in changes(seen)]
    midnights = {datetime(2020, 6, day, tzinfo=UTC) for day in (11, 12, 13)}
    assert midnights <= set(instants)
    for sooner, later in pairwise(instants):
        assert later - sooner < timedelta(minutes=20)
        assert later - sooner > timedelta(minutes=10) or later in midnights


async def test_every_identifier_is_that_of_its_time_and_of_one_key_a_day(world: World) -> None:
    seen = watch(world)
    await world.add_active("phone")

    await world.live(timedelta(days=3))

    keys = [own.tek for own in world.stores["phone"].keys.all()]
    assert len(keys) == 4
    for at, rpi, _ in changes(seen):
        (tek,) = [key for key in keys if key.covers(interval_at(at))]
        place = interval_at(at) - tek.rolling_start_number
        assert identifiers(tek)[place] == rpi


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
    assert len({rpi for _, rpi, _ in of_phone}) == len({address for _, _, address in of_phone})
    assert len(of_phone) == len({rpi for _, rpi, _ in of_phone})


async def test_a_key_that_was_handed_out_is_never_on_the_air_again(world: World) -> None:
    seen = watch(world)
    phone = await world.add_active("phone")
    await world.live(timedelta(hours=2))
    before = len(seen)

    history = await phone.tek_history(yes)
    await world.live(timedelta(hours=12))

    (cut,) = history
    handed_out = {bytes(rpi) for rpi in identifiers(replace(cut, rolling_period=144))}
    heard_before = {bytes(parse_advertisement(pdu.data).rpi) for _, pdu in seen[:before]}
    heard_after = {bytes(parse_advertisement(pdu.data).rpi) for _, pdu in seen[before:]}
    assert heard_before <= handed_out
    assert not heard_after & handed_out
    assert cut.rolling_period == 14 * 6 + 1
    assert len(heard_after) > 30
