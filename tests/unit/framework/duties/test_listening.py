"""The duty that listens: how far apart its scans are, and what becomes of them."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from immuni.ble import SCAN_DURATION, AdvertisementHeard, BroadcastPayload, RadioLostError
from immuni.clock import ManualClock
from immuni.entropy import SeededEntropy
from immuni.framework import InactiveReason, Store
from immuni.framework.duties.duty import RETRY_PERIOD
from immuni.framework.duties.listening import Listening
from tests.unit.framework.phones import NOON

pytestmark = pytest.mark.anyio

MOST_LATE = timedelta(seconds=1)
SCANS = 200


class Ears:
    """A radio that notes when it was told to listen, and hears nobody."""

    tx_power_dbm = 0
    broadcasting = False

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.scans: list[tuple[datetime, timedelta]] = []
        self.lost = False

    async def open(self) -> None: ...

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None: ...

    async def stop_broadcast(self) -> None: ...

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        if self.lost:
            raise RadioLostError("gone")
        self.scans.append((self._clock.now(), duration))
        self._clock.advance(duration)
        return []

    async def close(self) -> None: ...


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.integers(min_value=0))
async def test_scans_of_four_seconds_are_at_most_five_minutes_apart_even_when_late(
    store: Store, seed: int
) -> None:
    clock, lateness = ManualClock(NOON), SeededEntropy(seed + 1)
    ears = Ears(clock)
    listening = Listening(store, ears, SeededEntropy(seed))
    listening.begin(NOON)

    for _ in range(SCANS):
        due = listening.next_due()
        assert due is not None
        clock.set(due + lateness.below(2) * MOST_LATE)
        await listening.act(clock.now())

    assert {duration for _, duration in ears.scans} == {SCAN_DURATION} == {timedelta(seconds=4)}
    gaps = [later - sooner for (sooner, _), (later, _) in pairwise(ears.scans)]
    assert len(gaps) == SCANS - 1
    assert min(gaps) >= timedelta(seconds=211)
    assert max(gaps) <= timedelta(minutes=5)


async def test_pauses_are_spread_over_the_whole_span(store: Store) -> None:
    clock = ManualClock(NOON)
    ears = Ears(clock)
    listening = Listening(store, ears, SeededEntropy(1))
    listening.begin(NOON)
    for _ in range(1000):
        clock.set(listening.next_due() or NOON)
        await listening.act(clock.now())

    gaps = [(later - sooner).total_seconds() for (sooner, _), (later, _) in pairwise(ears.scans)]
    assert min(gaps) < 213
    assert max(gaps) > 297
    assert len(set(gaps)) > 990


async def test_a_lost_radio_is_told_and_tried_again_after_a_minute(store: Store) -> None:
    clock = ManualClock(NOON)
    ears = Ears(clock)
    listening = Listening(store, ears, SeededEntropy(1))
    listening.begin(NOON)
    ears.lost = True

    await listening.act(NOON)
    assert listening.fault is InactiveReason.RADIO_LOST
    assert listening.next_due() == NOON + RETRY_PERIOD

    ears.lost = False
    await listening.act(NOON + RETRY_PERIOD)
    assert listening.fault is None
