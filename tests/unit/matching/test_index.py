"""The index of sightings, as those see it who work with columns."""

import os
import signal
import threading
from array import array
from types import FrameType

import pytest

from immuni.crypto import derive_rpik, generate_rpi
from immuni.keys import PackedKeys
from immuni.matching import PackedSightings, SightingIndex, recognise
from tests.unit.matching.contacts import NOON, a_key, heard


def test_columns_are_taken_from_whatever_shows_its_memory() -> None:
    rpi = generate_rpi(derive_rpik(a_key().tek), NOON)
    packed = PackedKeys([a_key(2), a_key()])
    index = SightingIndex(
        memoryview(bytes(16) + rpi).cast("B", shape=[2, 16]), memoryview(array("I", [NOON, NOON]))
    )

    found = index.match(
        memoryview(packed.key_data).cast("B", shape=[2, 16]),
        packed.rolling_starts,
        memoryview(packed.rolling_periods),
    )

    assert (found.keys.tolist(), found.sightings.tolist()) == ([1], [1])
    assert found.intervals.tolist() == [NOON]
    assert (found.keys.format, found.sightings.format, found.intervals.format) == ("Q", "Q", "I")
    assert len(found) == 1


def test_columns_of_another_width_are_refused() -> None:
    with pytest.raises(TypeError, match=r"wants uint32 in shape .* got uint64"):
        SightingIndex(bytes(16), array("Q", [NOON]))


def test_an_index_that_grew_finds_what_one_finds_that_was_made_at_once() -> None:
    sightings = PackedSightings([heard(a_key(number % 3)) for number in range(9)])
    keys = PackedKeys([a_key(1), a_key(2)])
    grown = SightingIndex(b"", array("I"))
    for place in range(9):
        grown.append(
            sightings.rpis[16 * place : 16 * place + 16], sightings.intervals[place : place + 1]
        )

    columns = keys.key_data, keys.rolling_starts, keys.rolling_periods
    found = grown.match(*columns)

    assert found == SightingIndex.of(sightings).match(*columns)
    assert [*zip(found.keys, found.sightings, found.intervals, strict=True)] == [
        (match.key_index, match.sighting_index, match.interval)
        for match in recognise(keys, sightings)
    ]
    assert grown.matched_keys(*columns).tolist() == [0, 1]
    assert (len(grown), grown.size_bytes) == (9, SightingIndex.of(sightings).size_bytes)


class SignalledError(Exception):
    pass


def test_a_signal_ends_a_search_that_nobody_watches() -> None:
    """The search gives the lock away: otherwise the other thread could not send anything."""
    index = SightingIndex(os.urandom(16 * 500), array("I", [NOON] * 500))
    count = 1_000_000
    begun = threading.Event()

    def interrupt() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGUSR1)

    def refuse(_number: int, _frame: FrameType | None) -> None:
        raise SignalledError

    former = signal.signal(signal.SIGUSR1, refuse)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        key_data, starts = bytes(16 * count), array("I", [NOON]) * count
        with pytest.raises(SignalledError):
            index.match(key_data, starts, b"\x01" * count, progress=lambda _: begun.set())
    finally:
        begun.set()
        thread.join()
        signal.signal(signal.SIGUSR1, former)
