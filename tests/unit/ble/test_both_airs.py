"""Both kinds of air follow the model: the same statistics, with and without HCI."""

import statistics
from datetime import UTC, datetime, timedelta

import pytest

from immuni.ble import (
    SCAN_DURATION,
    BroadcastPayload,
    Shadowing,
    SimulatedAir,
    VirtualAir,
    path_loss_db,
)
from immuni.clock import ManualClock
from immuni.crypto import AEM, RPI

pytestmark = pytest.mark.anyio

CLOCK = ManualClock(datetime(2020, 6, 1, 12, tzinfo=UTC))
ADDRESS = bytes.fromhex("010203040506")
METRES = 2.0
TX_POWER_DBM = -20
PAIRS = 200
SCANS = 12
SHORT_SCAN = timedelta(seconds=1)

Air = VirtualAir | SimulatedAir


@pytest.fixture(params=[VirtualAir, SimulatedAir])
def air(request: pytest.FixtureRequest) -> Air:
    made: Air = request.param(
        floor_dbm=-127, shadowing=Shadowing("both airs", packet_loss=0.3), reach_metres=10
    )
    return made


async def strongest_by_pair(air: Air) -> list[list[int]]:
    """Return, for each of many pairs, the strongest RSSI of each scan."""
    found = []
    for pair in range(PAIRS):
        sender = await air.radio(f"sender {pair}", CLOCK, tx_power_dbm=TX_POWER_DBM)
        listener = await air.radio(f"listener {pair}", CLOCK)
        air.place(f"sender {pair}", 0, 0)
        air.place(f"listener {pair}", 0, METRES)
        rpi = RPI(pair.to_bytes(16))
        await sender.start_broadcast(BroadcastPayload(rpi, AEM(b"meta")), ADDRESS)
        scans = [await listener.scan(SHORT_SCAN) for _ in range(SCANS)]
        assert {each.service_data[:16] for heard in scans for each in heard} == {rpi}
        found.append([max(each.rssi_dbm for each in heard) for heard in scans if heard])
        await sender.close()
        await listener.close()
    return found


async def test_strengths_are_distributed_as_the_model_says(air: Air) -> None:
    by_pair = await strongest_by_pair(air)

    means = [statistics.mean(scans) for scans in by_pair]
    within = [statistics.variance(scans) for scans in by_pair]
    # Four PDUs in each of these scans.
    heard = sum(map(len, by_pair)) / (PAIRS * SCANS)
    assert heard == pytest.approx(1 - 0.3**4, abs=0.004)
    # What remains of the scans in the mean of each pair is taken off its variance.
    pair_variance = statistics.variance(means) - statistics.mean(within) / SCANS
    assert statistics.mean(means) == pytest.approx(TX_POWER_DBM - path_loss_db(METRES), abs=1.5)
    assert pair_variance**0.5 == pytest.approx(7, abs=0.9)
    assert statistics.mean(within) ** 0.5 == pytest.approx(5, abs=0.4)


async def test_strengths_of_a_pair_are_the_same_in_both_airs() -> None:
    heard = []
    for kind in (VirtualAir, SimulatedAir):
        air = kind(floor_dbm=-127, shadowing=Shadowing("both airs"))
        sender, listener = await air.radio("one", CLOCK), await air.radio("other", CLOCK)
        air.place("one", 0, 0)
        air.place("other", 3, 0)
        await sender.start_broadcast(BroadcastPayload(RPI(b"R" * 16), AEM(b"meta")), ADDRESS)
        scans = [await listener.scan(SCAN_DURATION) for _ in range(20)]
        heard.append([{each.rssi_dbm for each in scan} for scan in scans])

    assert heard[0] == heard[1]
