"""What a metered radio counts."""

from datetime import timedelta

import pytest

from immuni.ble import (
    SCAN_DURATION,
    BroadcastPayload,
    Radio,
    RadioLostError,
    SimulatedAir,
    on_air_time,
)
from immuni.clock import ManualClock
from immuni.crypto import AEM, RPI
from immuni.framework.radio_use import MeteredRadio, RadioUse
from tests.unit.framework.phones import NOON

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
PAYLOAD = BroadcastPayload(RPI(b"R" * 16), AEM(b"meta"))
ADDRESS = bytes.fromhex("010203040506")


class Processor:
    """The processor's clock, which ran before anything was counted."""

    def __init__(self) -> None:
        self.seconds = 7.0


class Bench:
    """A metered radio, its clock and its processor's."""

    def __init__(self, clock: ManualClock, air: SimulatedAir, radio: Radio) -> None:
        self.clock = clock
        self.air = air
        self.processor = Processor()
        self.radio = MeteredRadio(radio, clock, lambda: self.processor.seconds)


@pytest.fixture
async def bench() -> Bench:
    clock, air = ManualClock(NOON), SimulatedAir()
    return Bench(clock, air, await air.radio("phone", clock))


async def test_nothing_is_counted_at_first(bench: Bench) -> None:
    use = bench.radio.use()

    nothing = timedelta(0)
    assert use == RadioUse(
        elapsed=nothing,
        scans=0,
        scan_time=nothing,
        broadcast_time=nothing,
        on_air_time=nothing,
        cpu_time=nothing,
    )
    assert use.scans_per_hour == use.scan_seconds_per_hour == 0
    assert use.on_air_seconds_per_hour == use.cpu_seconds_per_hour == 0


async def test_scans_and_processor_time_are_told_by_the_hour(bench: Bench) -> None:
    for _ in range(7):
        await bench.radio.scan(SCAN_DURATION)
    bench.clock.advance(30 * MINUTE)
    bench.processor.seconds += 1.5

    use = bench.radio.use()

    assert (use.scans, use.scan_time) == (7, 7 * SCAN_DURATION)
    assert use.scans_per_hour == 14
    assert use.scan_seconds_per_hour == 56
    assert use.cpu_seconds_per_hour == 3


async def test_only_the_time_with_something_on_the_air_counts_as_broadcast(bench: Bench) -> None:
    bench.clock.advance(MINUTE)
    await bench.radio.start_broadcast(PAYLOAD, ADDRESS)
    bench.clock.advance(10 * MINUTE)
    await bench.radio.start_broadcast(PAYLOAD, ADDRESS[::-1])
    bench.clock.advance(5 * MINUTE)
    assert bench.radio.use().broadcast_time == 15 * MINUTE
    await bench.radio.stop_broadcast()
    await bench.radio.stop_broadcast()
    bench.clock.advance(44 * MINUTE)

    use = bench.radio.use()

    assert use.elapsed == timedelta(hours=1)
    assert use.broadcast_time == 15 * MINUTE
    assert use.on_air_time == on_air_time(15 * MINUTE)
    assert use.on_air_seconds_per_hour == pytest.approx(15 * 60 / 0.255 * 3 * 376e-6, rel=1e-4)


async def test_what_fails_is_not_counted(bench: Bench) -> None:
    await bench.radio.start_broadcast(PAYLOAD, ADDRESS)
    bench.clock.advance(MINUTE)
    bench.air.unplug("phone")
    assert not bench.radio.broadcasting

    for use in (bench.radio.scan(SCAN_DURATION), bench.radio.start_broadcast(PAYLOAD, ADDRESS)):
        with pytest.raises(RadioLostError):
            await use
    bench.clock.advance(MINUTE)

    assert bench.radio.use().scans == 0
    assert bench.radio.use().broadcast_time == MINUTE


async def test_a_clock_that_is_set_back_takes_nothing_away(bench: Bench) -> None:
    await bench.radio.start_broadcast(PAYLOAD, ADDRESS)
    bench.clock.advance(-MINUTE)

    use = bench.radio.use()

    assert use.elapsed == use.broadcast_time == timedelta(0)


async def test_a_closed_radio_counts_no_further(bench: Bench) -> None:
    await bench.radio.open()
    await bench.radio.start_broadcast(PAYLOAD, ADDRESS)
    bench.clock.advance(MINUTE)
    await bench.radio.close()
    bench.clock.advance(MINUTE)

    assert bench.radio.use().broadcast_time == MINUTE
    assert bench.radio.tx_power_dbm == -20
