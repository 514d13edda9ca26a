from datetime import timedelta

import pytest

from immuni.framework import InactiveReason, NaiveInstantError
from tests.unit.framework.phones import World

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def test_a_pause_is_silent_and_ends_by_itself(world: World) -> None:
    phone = await world.add_active("phone")
    until = world.clock.now() + 4 * HOUR

    await phone.pause(until=until)

    world.pdus.clear()
    assert phone.status().reasons == {InactiveReason.PAUSED}
    assert phone.status().paused_until == until
    await world.live(4 * HOUR - timedelta(seconds=1))
    assert world.pdus == []

    await world.live(timedelta(seconds=1))
    assert phone.status().active
    assert phone.status().paused_until is None
    assert world.pdus


async def test_a_pause_without_an_end_lasts_until_resumed(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pause()
    world.pdus.clear()

    await world.live(timedelta(days=2))
    assert world.pdus == []
    assert phone.status().reasons == {InactiveReason.PAUSED}

    await phone.resume()
    assert phone.status().active
    assert world.pdus


async def test_a_phone_goes_on_with_another_identity_after_a_pause(world: World) -> None:
    phone = await world.add_active("phone")
    await world.live(HOUR)
    before = {pdu.address for pdu in world.pdus}

    await phone.pause(until=world.clock.now() + HOUR)
    world.pdus.clear()
    await world.live(2 * HOUR)

    assert before.isdisjoint(pdu.address for pdu in world.pdus)


@pytest.mark.parametrize("hours_off", [1, 10])
async def test_a_pause_survives_a_restart(hours_off: int, world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pause(until=world.clock.now() + 4 * HOUR)
    await world.remove("phone")
    world.clock.advance(hours_off * HOUR)
    world.pdus.clear()

    phone = await world.add("phone")
    await world.live(timedelta())

    assert phone.status().active == (hours_off > 4)
    assert bool(world.pdus) == (hours_off > 4)


async def test_a_pause_that_was_ended_is_not_there_after_a_restart(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pause()
    await phone.resume()
    await world.remove("phone")

    assert (await world.add("phone")).status().active


async def test_a_clock_that_was_turned_back_does_not_make_a_pause_longer(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pause(until=world.clock.now() + 4 * HOUR)

    world.clock.advance(-timedelta(days=1))
    await world.live(HOUR)

    assert InactiveReason.PAUSED not in phone.status().reasons


async def test_what_is_switched_on_during_a_pause_waits_for_its_end(world: World) -> None:
    phone = await world.add("phone")
    await phone.pause()

    await phone.authorise()
    await phone.start()

    assert world.pdus == []
    assert phone.status().reasons == {InactiveReason.PAUSED}


async def test_nothing_old_is_kept_longer_for_a_pause(world: World) -> None:
    phone = await world.add_active("phone")
    await world.add_active("neighbour", at_metres=1)
    await world.live(HOUR)
    await world.remove("neighbour")
    await phone.pause()

    await world.live(timedelta(days=16))

    assert world.stores["phone"].contents()["sighting"] == 0
    assert world.stores["phone"].contents()["tek"] == 0


async def test_deleting_everything_ends_a_pause(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pause()

    await phone.delete_everything()

    assert InactiveReason.PAUSED not in phone.status().reasons


async def test_a_pause_that_a_clock_ended_is_over_after_a_restart_too(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pause(until=world.clock.now() + 4 * HOUR)
    world.clock.advance(-timedelta(days=1))
    await world.live(HOUR)
    await phone.trust_clock()
    await world.remove("phone")

    phone = await world.add("phone")
    await world.live(timedelta())

    assert phone.status().active


async def test_a_pause_until_a_moment_of_no_zone_is_refused(world: World) -> None:
    phone = await world.add_active("phone")

    with pytest.raises(NaiveInstantError, match="zone"):
        await phone.pause(until=world.clock.now().replace(tzinfo=None))

    assert phone.status().active
    await world.live(HOUR)
