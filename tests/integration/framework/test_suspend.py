"""A device that sleeps: its clock goes on, its program does not."""

from datetime import timedelta

import pytest

from immuni.keys import day_of, interval_at
from tests.unit.framework.phones import World, identifiers

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("asleep", [timedelta(minutes=21), timedelta(hours=5), timedelta(days=3)])
async def test_a_device_that_wakes_up_sends_the_identifier_of_now_from_another_address(
    asleep: timedelta, world: World
) -> None:
    phone = await world.add_active("phone")
    await world.live(timedelta(hours=1))
    before = {(pdu.address, pdu.data) for pdu in world.pdus}
    world.pdus.clear()

    world.clock.advance(asleep)
    await world.live(timedelta())

    now = interval_at(world.clock.now())
    (key,) = [key for key in world.stores["phone"].keys.all() if key.tek.covers(now)]
    (rpi,) = {pdu.data[11:27] for pdu in world.pdus}
    assert rpi == identifiers(key.tek)[now - key.tek.rolling_start_number]
    assert {pdu.address for pdu in world.pdus}.isdisjoint(address for address, _ in before)
    assert phone.status().active


async def test_days_that_were_slept_through_have_no_keys(world: World) -> None:
    await world.add_active("phone")
    await world.live(timedelta(hours=1))
    fell_asleep = world.clock.now()

    world.clock.advance(timedelta(days=3))
    await world.live(timedelta(hours=1))

    days = [day_of(key.tek.rolling_start_number) for key in world.stores["phone"].keys.all()]
    assert days == [fell_asleep.date(), (fell_asleep + timedelta(days=3)).date()]
