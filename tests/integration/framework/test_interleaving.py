"""Calls that come while another one, a scan or a detection is going on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from immuni.ble import AdvertisementHeard, BroadcastPayload, Radio, RadioLostError
from immuni.entropy import SeededEntropy
from immuni.framework import ExposureNotificationFramework, InactiveReason, run
from immuni.risk import IMMUNI_DEFAULT
from tests.integration.framework.chunks import chunk
from tests.unit.framework.phones import NOON, World, open_store, yes

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
HEARD = AdvertisementHeard(bytes(20), -70, NOON, bytes(6))


class Slow:
    """A radio whose commands take as long as the test wants."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self.tx_power_dbm = radio.tx_power_dbm
        self.may_stop = asyncio.Event()
        self.may_stop.set()
        self.may_hear = asyncio.Event()
        self.scanning = asyncio.Event()
        self.lost = False

    @property
    def broadcasting(self) -> bool:
        return self._radio.broadcasting

    async def open(self) -> None:
        await self._radio.open()

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None:
        await self._radio.start_broadcast(payload, address)

    async def stop_broadcast(self) -> None:
        await self.may_stop.wait()
        await self._radio.stop_broadcast()

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        self.scanning.set()
        await self.may_hear.wait()
        self.may_hear.clear()
        if self.lost:
            raise RadioLostError("gone")
        return [HEARD] if duration else []

    async def close(self) -> None:
        await self._radio.close()


class Scene:
    """A phone with such a radio."""

    def __init__(self, world: World, radio: Slow) -> None:
        self.world = world
        self.radio = radio
        self.store = open_store(world.folder / "phone")
        self.phone = ExposureNotificationFramework(
            store=self.store,
            radio=radio,
            clock=world.clock,
            entropy=SeededEntropy(1),
            verification_keys=[],
        )


@pytest.fixture
async def scene(world: World) -> AsyncIterator[Scene]:
    scene = Scene(world, Slow(await world.air.radio("phone", world.clock)))
    await scene.phone.authorise()
    await scene.phone.start()
    yield scene
    scene.radio.may_stop.set()
    await scene.phone.close()


async def begun(task: "asyncio.Task[None]") -> None:
    """Let a task go as far as it can without anything else happening."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()


async def test_a_start_during_a_stop_has_the_last_word(scene: Scene) -> None:
    scene.radio.may_stop.clear()
    stop = asyncio.create_task(scene.phone.stop())
    await begun(stop)
    start = asyncio.create_task(scene.phone.start())
    await begun(start)

    scene.radio.may_stop.set()
    await asyncio.gather(stop, start)

    assert scene.phone.status().active == scene.radio.broadcasting is True


async def test_two_that_switch_off_at_once_are_both_obeyed(scene: Scene) -> None:
    scene.radio.may_stop.clear()
    stop = asyncio.create_task(scene.phone.stop())
    await begun(stop)
    revoke = asyncio.create_task(scene.phone.revoke())
    await begun(revoke)
    scene.radio.may_stop.set()
    await asyncio.gather(stop, revoke)

    assert scene.phone.status().reasons == {
        InactiveReason.NOT_STARTED,
        InactiveReason.PERMISSION_MISSING,
    }
    assert not scene.radio.broadcasting


async def test_what_is_switched_on_while_everything_is_being_deleted_is_off_afterwards(
    scene: Scene,
) -> None:
    scene.radio.may_stop.clear()
    delete = asyncio.create_task(scene.phone.delete_everything())
    await begun(delete)
    start = asyncio.create_task(scene.phone.start())
    await begun(start)

    scene.radio.may_stop.set()
    await asyncio.gather(delete, start)

    assert InactiveReason.NOT_STARTED in scene.phone.status().reasons
    assert not scene.radio.broadcasting
    assert scene.store.contents()["tek"] == 0


async def test_what_was_being_heard_when_everything_was_deleted_is_not_kept(scene: Scene) -> None:
    living = asyncio.create_task(run(scene.phone, clock=scene.world.clock))
    await scene.radio.scanning.wait()

    await scene.phone.delete_everything()
    await scene.phone.authorise()
    await scene.phone.start()
    scene.radio.scanning.clear()
    scene.radio.may_hear.set()
    await scene.radio.scanning.wait()
    kept = scene.store.contents()["sighting"]
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living

    assert kept == 0


async def test_a_scan_that_fails_after_the_end_is_no_fault(scene: Scene) -> None:
    acting = asyncio.create_task(scene.phone.act(scene.world.clock.now()))
    await scene.radio.scanning.wait()
    await scene.phone.switch_bluetooth(on=False)
    scene.radio.lost = True
    scene.radio.may_hear.set()
    await acting

    assert scene.phone.status().reasons == {InactiveReason.BLUETOOTH_OFF}


async def test_a_detection_that_goes_on_leaves_nothing_where_everything_was_deleted(
    met: World,
) -> None:
    phone, store = met.phones["B"], met.stores["B"]
    published = chunk(await met.phones["A"].tek_history(yes))

    detection = asyncio.create_task(phone.detect_exposures([published], IMMUNI_DEFAULT))
    await asyncio.sleep(0)
    await phone.delete_everything()
    summary = await detection

    assert summary.matched_key_count == 1
    assert store.contents()["exposure"] == 0
    assert store.contents()["detection"] == 0


async def test_a_pause_ends_by_itself_also_after_everything_was_deleted(world: World) -> None:
    phone = await world.add_active("phone")
    world_is_over = asyncio.Event()

    async def sleep(seconds: float) -> None:
        world.clock.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)
        if world.clock.now() > NOON + 3 * HOUR:
            world_is_over.set()

    living = asyncio.create_task(run(phone, clock=world.clock, sleep=sleep))
    await begun(living)
    await phone.delete_everything()
    await phone.authorise()
    await phone.start()
    await phone.pause(until=world.clock.now() + HOUR)
    await world_is_over.wait()
    status = phone.status()
    living.cancel()
    with suppress(asyncio.CancelledError):
        await living

    assert status.active
