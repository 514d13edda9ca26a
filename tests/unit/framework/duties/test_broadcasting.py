"""The duty that broadcasts, and the one that makes sure of silence."""

from datetime import timedelta
from itertools import groupby, pairwise

import pytest

from immuni.ble import (
    LONGEST_UNATTENDED,
    SCAN_DURATION,
    AdvertisementHeard,
    BroadcastPayload,
    Radio,
    RadioError,
    SimulatedAir,
)
from immuni.clock import ManualClock
from immuni.entropy import SeededEntropy
from immuni.framework import InactiveReason, Store
from immuni.framework.duties.broadcasting import Broadcasting
from immuni.framework.duties.duty import RETRY_PERIOD
from tests.unit.framework.phones import NOON

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


class Stubborn:
    """A radio that refuses whatever the test wants it to refuse."""

    def __init__(self, radio: Radio) -> None:
        self._radio = radio
        self.tx_power_dbm = radio.tx_power_dbm
        self.refuses_start = False
        self.refuses_stop = False
        self.stops = 0
        self.starts: list[bytes] = []

    @property
    def broadcasting(self) -> bool:
        return self._radio.broadcasting

    async def open(self) -> None:
        await self._radio.open()

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None:
        if self.refuses_start:
            raise RadioError("refused")
        self.starts.append(address)
        await self._radio.start_broadcast(payload, address)

    async def stop_broadcast(self) -> None:
        self.stops += 1
        if self.refuses_stop:
            raise RadioError("refused")
        await self._radio.stop_broadcast()

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        return await self._radio.scan(duration)

    async def close(self) -> None:
        await self._radio.close()


class Scene:
    """One phone that broadcasts, and a radio beside it that listens."""

    def __init__(self, store: Store, air: SimulatedAir, radio: Radio, listener: Radio) -> None:
        self.clock = ManualClock(NOON)
        self.air = air
        self.radio = Stubborn(radio)
        self.broadcasting = Broadcasting(store, self.radio, SeededEntropy(1))
        self.silencing = self.broadcasting.silencing
        self._listener = listener

    async def begin(self) -> None:
        self.broadcasting.begin(self.clock.now())
        await self.broadcasting.act(self.clock.now())

    async def live(self, duration: timedelta) -> None:
        """Do whatever is due, minute by minute."""
        for _ in range(duration // MINUTE):
            self.clock.advance(MINUTE)
            for duty in (self.broadcasting, self.silencing):
                due = duty.next_due()
                if due is not None and due <= self.clock.now():
                    await duty.act(self.clock.now())

    async def on_air(self) -> tuple[bytes, bytes] | None:
        """Return service data and address of what is broadcast."""
        heard = await self._listener.scan(SCAN_DURATION)
        return (heard[0].service_data, heard[0].address) if heard else None

    @property
    def faults(self) -> list[InactiveReason | None]:
        return [self.broadcasting.fault, self.silencing.fault]


@pytest.fixture
async def scene(store: Store) -> Scene:
    air, clock = SimulatedAir(), ManualClock(NOON)
    radio, listener = await air.radio("phone", clock), await air.radio("listener", clock)
    air.place("phone", 0, 0)
    air.place("listener", 1, 0)
    return Scene(store, air, radio, listener)


async def test_a_radio_that_lost_its_broadcast_gets_the_same_again(scene: Scene) -> None:
    await scene.begin()
    before = await scene.on_air()
    await scene.live(2 * MINUTE)

    scene.air.unplug("phone")
    scene.air.plug_in("phone")
    assert await scene.on_air() is None
    await scene.live(MINUTE)

    assert before is not None
    assert await scene.on_air() == before
    assert scene.faults == [None, None]


async def test_a_radio_that_loses_it_again_and_again_is_told_once_a_minute(scene: Scene) -> None:
    await scene.begin()
    scene.air.unplug("phone")
    scene.air.plug_in("phone")

    assert scene.broadcasting.next_due() == NOON + RETRY_PERIOD


async def test_a_radio_is_told_again_before_it_falls_silent_by_itself(scene: Scene) -> None:
    await scene.begin()
    told_at = [scene.clock.now()]
    while told_at[-1] < NOON + timedelta(hours=6):
        due = scene.broadcasting.next_due()
        assert due is not None
        scene.clock.set(due)
        await scene.broadcasting.act(due)
        told_at.append(due)

    gaps = [later - sooner for sooner, later in pairwise(told_at)]
    changes = len(set(scene.radio.starts))
    assert max(gaps) < LONGEST_UNATTENDED - timedelta(seconds=30)
    assert len(told_at) == len(scene.radio.starts) > changes
    # To be told again is no reason to change: 6 hours have 18 to 36 changes.
    assert 18 <= changes <= 37
    assert [*dict.fromkeys(scene.radio.starts)] == [
        address for address, _ in groupby(scene.radio.starts)
    ]


async def test_a_loss_does_not_put_off_the_change(scene: Scene) -> None:
    await scene.begin()
    change = scene.broadcasting.next_due()
    assert change is not None
    scene.clock.set(change - MINUTE)
    await scene.broadcasting.act(scene.clock.now())
    scene.air.unplug("phone")

    assert scene.broadcasting.next_due() == change


async def test_one_identifier_goes_with_one_aem_whichever_adapter_sends_it(scene: Scene) -> None:
    await scene.begin()
    before = await scene.on_air()
    await scene.live(2 * MINUTE)

    scene.air.unplug("phone")
    scene.air.plug_in("phone")
    scene.radio.tx_power_dbm = 8
    await scene.live(MINUTE)
    assert await scene.on_air() == before

    await scene.live(20 * MINUTE)
    assert await scene.on_air() != before


async def test_a_stop_that_failed_is_tried_again_until_the_radio_is_silent(scene: Scene) -> None:
    await scene.begin()
    scene.radio.refuses_stop = True

    await scene.broadcasting.rest()
    assert scene.faults == [None, InactiveReason.RADIO_LOST]
    await scene.live(5 * MINUTE)
    assert scene.radio.stops == 1 + 5
    assert await scene.on_air() is not None
    scene.radio.refuses_stop = False
    await scene.live(MINUTE)

    assert await scene.on_air() is None
    assert scene.faults == [None, None]
    assert [scene.broadcasting.next_due(), scene.silencing.next_due()] == [None, None]


async def test_a_stop_that_failed_does_not_end_what_is_broadcast_later(scene: Scene) -> None:
    await scene.begin()
    scene.radio.refuses_stop = True
    await scene.broadcasting.rest()
    scene.radio.refuses_stop = False
    assert scene.silencing.next_due() is not None

    await scene.begin()
    assert scene.silencing.next_due() is None
    await scene.silencing.act(scene.clock.now())
    await scene.live(5 * MINUTE)

    assert await scene.on_air() is not None
    assert scene.faults == [None, None]
    assert scene.radio.stops == 1


async def test_a_start_that_failed_is_tried_again_with_the_same_pair(scene: Scene) -> None:
    scene.radio.refuses_start = True
    await scene.begin()
    assert scene.faults == [InactiveReason.RADIO_LOST, None]
    await scene.live(3 * MINUTE)
    assert await scene.on_air() is None

    scene.radio.refuses_start = False
    await scene.live(MINUTE)

    assert await scene.on_air() is not None
    assert scene.faults == [None, None]


async def test_a_phone_at_rest_has_nothing_to_silence(scene: Scene) -> None:
    await scene.broadcasting.rest()
    await scene.silencing.act(NOON)

    assert scene.radio.stops == 1
    assert scene.silencing.next_due() is None
