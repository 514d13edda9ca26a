import pytest

from immuni.device.daemon import follow_bluetooth
from immuni.framework import ExposureNotificationFramework, InactiveReason
from tests.unit.framework.phones import World

pytestmark = pytest.mark.anyio


async def test_the_framework_follows_the_switch(
    framework: ExposureNotificationFramework, world: World
) -> None:
    await framework.authorise()
    await framework.start()

    await follow_bluetooth(framework, is_on=False)
    world.pdus.clear()
    assert framework.status().reasons == {InactiveReason.BLUETOOTH_OFF}
    assert world.pdus == []

    await follow_bluetooth(framework, is_on=True)
    assert framework.status().active
    assert world.pdus


async def test_a_store_that_fails_does_not_keep_it_on(
    framework: ExposureNotificationFramework, world: World
) -> None:
    await framework.authorise()
    await framework.start()
    database = world.stores["phone"]._database
    database.execute("PRAGMA query_only = on")

    await follow_bluetooth(framework, is_on=False)

    assert framework.status().reasons == {InactiveReason.BLUETOOTH_OFF}
    database.execute("PRAGMA query_only = off")
