"""Keys that leave the phone with a permission given before the result was there."""

from datetime import timedelta

import pytest

from immuni.framework import ConsentRefusedError
from tests.unit.framework.phones import World, no, yes

pytestmark = pytest.mark.anyio

JUST = timedelta(seconds=1)


async def test_without_a_permission_no_key_leaves(world: World) -> None:
    phone = await world.add_active("phone")

    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorised_tek_history()
    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorise(no)
    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorised_tek_history()

    assert not any(key.released for key in world.stores["phone"].keys.all())


async def test_a_permission_is_good_for_one_time(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pre_authorise(yes)
    await world.live(timedelta(days=2))

    assert len(await phone.pre_authorised_tek_history()) == 3
    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorised_tek_history()


async def test_keys_that_left_so_are_never_broadcast_again(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pre_authorise(yes)
    await world.live(timedelta(hours=3))
    before = {pdu.data for pdu in world.pdus}

    await phone.pre_authorised_tek_history()
    world.pdus.clear()
    await world.live(timedelta(hours=3))

    assert world.pdus
    assert before.isdisjoint(pdu.data for pdu in world.pdus)
    assert all(key.released for key in world.stores["phone"].keys.all()[:-1])


async def test_a_permission_holds_for_five_days(world: World) -> None:
    phone = await world.add_active("phone")
    until = await phone.pre_authorise(yes)
    assert until == world.clock.now() + timedelta(days=5)

    world.clock.advance(timedelta(days=5))
    assert await phone.pre_authorised_tek_history()

    await phone.pre_authorise(yes)
    world.clock.advance(timedelta(days=5) + JUST)
    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorised_tek_history()


async def test_a_permission_survives_a_restart_and_can_be_withdrawn(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.pre_authorise(yes)
    await world.remove("phone")
    phone = await world.add("phone")

    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorise(no)
    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorised_tek_history()


async def test_a_permission_by_a_clock_that_ran_ahead_is_none(world: World) -> None:
    phone = await world.add_active("phone")
    world.clock.advance(timedelta(days=30))
    await phone.pre_authorise(yes)

    world.clock.advance(-timedelta(days=30))

    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorised_tek_history()


async def test_an_app_that_is_not_allowed_any_more_has_no_permission_for_later(
    world: World,
) -> None:
    phone = await world.add_active("phone")
    await phone.pre_authorise(yes)

    await phone.revoke()
    await phone.authorise()

    with pytest.raises(ConsentRefusedError):
        await phone.pre_authorised_tek_history()
