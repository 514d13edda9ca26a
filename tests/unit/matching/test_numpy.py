"""The index of sightings, with NumPy's arrays in and out."""

import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from immuni.matching import FoundColumns, PackedSightings, SightingIndex
from tests.unit.matching.contacts import NOON, a_key, heard

NOTHING: NDArray[np.uint8] = np.zeros((1, 16), np.uint8)
AT_NOON: NDArray[np.uint32] = np.array([NOON], np.uint32)
PERIOD: NDArray[np.uint8] = np.array([144], np.uint8)


class Columns:
    """Six sightings, of which every second is one of the key's, in arrays."""

    def __init__(self) -> None:
        packed = PackedSightings([heard(a_key(number % 2)) for number in range(6)])
        self.rpis = np.frombuffer(packed.rpis, np.uint8).reshape(-1, 16)
        self.intervals = np.asarray(packed.intervals)
        tek = a_key(0).tek
        self.key_data = np.frombuffer(tek.key_data, np.uint8).reshape(1, 16)
        self.starts = np.array([tek.rolling_start_number], np.uint32)

    def found_in(self, rpis: NDArray[Any], intervals: NDArray[Any]) -> FoundColumns:
        return SightingIndex(rpis, intervals).match(self.key_data, self.starts, PERIOD)


@pytest.fixture
def columns() -> Columns:
    return Columns()


def test_arrays_are_taken_as_rows_or_flat_however_they_lie(columns: Columns) -> None:
    rpis, intervals = columns.rpis, columns.intervals
    spread = np.zeros((6, 40), np.uint8)
    spread[:, 8:24] = rpis
    read_only = rpis.copy()
    read_only.flags.writeable = False

    for laid in (rpis, rpis.reshape(-1), np.asfortranarray(rpis), spread[:, 8:24], read_only):
        assert np.asarray(columns.found_in(laid, intervals).sightings).tolist() == [0, 2, 4]


def test_every_second_row_and_the_reverse_are_columns_too(columns: Columns) -> None:
    rpis, intervals = columns.rpis, columns.intervals

    assert columns.found_in(rpis[::2], intervals[::2]).sightings.tolist() == [0, 1, 2]
    assert columns.found_in(rpis[1::2], intervals[1::2]).sightings.tolist() == []
    assert columns.found_in(rpis[::-1], intervals[::-1]).sightings.tolist() == [1, 3, 5]


def test_fields_of_records_are_columns_where_they_are_aligned(columns: Columns) -> None:
    records = np.zeros(6, [("rpi", np.uint8, (16,)), ("interval", np.uint32), ("rssi", np.int32)])
    records["rpi"], records["interval"] = columns.rpis, columns.intervals
    packed = np.zeros(6, [("flag", np.uint8), ("interval", np.uint32)])

    found = columns.found_in(records["rpi"], records["interval"])

    assert found.sightings.tolist() == [0, 2, 4]
    with pytest.raises(TypeError, match=r"(?s)wants uint32 in shape.*'intervals'"):
        SightingIndex(columns.rpis, packed["interval"])


def test_what_is_given_may_change_or_go_afterwards(columns: Columns) -> None:
    rpis = columns.rpis.copy()
    index = SightingIndex(rpis, columns.intervals)
    rpis[:] = 0

    found = index.match(columns.key_data, columns.starts, PERIOD)

    assert found.sightings.tolist() == [0, 2, 4]


def test_what_is_found_is_taken_by_numpy_as_it_lies(columns: Columns) -> None:
    found = columns.found_in(columns.rpis, columns.intervals)
    arrays = [np.asarray(column) for column in (found.keys, found.sightings, found.intervals)]

    assert [array.dtype for array in arrays] == [np.uint64, np.uint64, np.uint32]
    assert [array.shape for array in arrays] == [(3,)] * 3
    assert not any(array.flags.owndata or array.flags.writeable for array in arrays)
    assert np.shares_memory(arrays[1], np.asarray(found.sightings))
    assert columns.intervals[arrays[1]].tolist() == [NOON] * 3


@pytest.mark.parametrize(
    ("rpis", "intervals", "complaint"),
    [
        (NOTHING, AT_NOON.astype(np.int64), r"\(n,\), got int64 in shape \(1,\).*'intervals'"),
        (NOTHING, AT_NOON.astype(np.float64), "wants uint32 .* got float64 .*'intervals'"),
        (NOTHING, AT_NOON.astype(">u4"), "wants uint32 .* got big-endian uint32 .*'intervals'"),
        (NOTHING, AT_NOON.reshape(1, 1), r"\(n,\), got uint32 in shape \(1, 1\).*'intervals'"),
        (NOTHING, AT_NOON[:0].astype(np.float64), "wants uint32 .* got float64 .*'intervals'"),
        (NOTHING.astype(np.int8), AT_NOON, r"wants uint8 .* got int8 in shape \(1, 16\).*'rpis'"),
        (NOTHING.astype(bool), AT_NOON, "wants uint8 .* got bool .*'rpis'"),
        (NOTHING.T, AT_NOON, r"\(n, 16\) or \(16 n,\), got uint8 in shape \(16, 1\).*'rpis'"),
        (NOTHING.reshape(1, 4, 4), AT_NOON, r"got uint8 in shape \(1, 4, 4\).*'rpis'"),
        (NOTHING.view("V16"), AT_NOON, r'got items of format "16x" in shape \(1, 1\).*\'rpis\''),
    ],
)
def test_an_array_that_is_no_such_column_is_refused_with_its_type_and_shape(
    rpis: NDArray[Any], intervals: NDArray[Any], complaint: str
) -> None:
    with pytest.raises(TypeError, match=f"(?s){complaint}"):
        SightingIndex(rpis, intervals)
    with pytest.raises(TypeError, match=f"(?s){complaint}"):
        SightingIndex(b"", AT_NOON[:0]).append(rpis, intervals)


@pytest.mark.parametrize(
    ("key_data", "starts", "periods", "argument"),
    [
        (NOTHING.astype(np.uint16), AT_NOON, PERIOD, "key_data"),
        (NOTHING, AT_NOON.astype(np.int32), PERIOD, "rolling_starts"),
        (NOTHING, AT_NOON, PERIOD.astype(np.int64), "rolling_periods"),
        (NOTHING, AT_NOON, NOTHING, "rolling_periods"),
    ],
)
def test_columns_of_keys_are_held_to_the_same(
    key_data: NDArray[Any], starts: NDArray[Any], periods: NDArray[Any], argument: str
) -> None:
    index = SightingIndex(NOTHING, AT_NOON)

    for search in (index.match, index.matched_keys):
        with pytest.raises(TypeError, match=f"(?s)wants uint.*'{argument}'"):
            search(key_data, starts, periods)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes for each of 1 sightings, got 32"):
        SightingIndex(NOTHING.repeat(2, axis=0), AT_NOON)


class EnoughError(Exception):
    pass


@pytest.fixture
def no_thread_is_made_to_yield() -> Iterator[None]:
    """Let a thread run on until it gives the interpreter's lock away by itself."""
    former = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(former)


@pytest.mark.usefixtures("no_thread_is_made_to_yield")
def test_another_thread_goes_on_during_a_search() -> None:
    index = SightingIndex(NOTHING.repeat(500, axis=0), AT_NOON.repeat(500))
    begin, went_on = threading.Event(), threading.Event()

    def go_on() -> None:
        begin.wait()
        went_on.set()

    def look(_done: int) -> None:
        if went_on.is_set():
            raise EnoughError

    keys = np.zeros((2**22, 16), np.uint8)
    starts, periods = AT_NOON.repeat(len(keys)), PERIOD.repeat(len(keys))
    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        begin.set()
        with pytest.raises(EnoughError):
            index.match(keys, starts, periods, progress=look)
    finally:
        begin.set()
        thread.join()
    assert index.match(NOTHING, AT_NOON, PERIOD).keys.tolist() == []


def test_progress_grows_to_all_keys_and_an_interrupted_index_is_as_good_as_before() -> None:
    index = SightingIndex(NOTHING.repeat(500, axis=0), AT_NOON.repeat(500))
    keys = np.zeros((300_000, 16), np.uint8)
    starts, periods = AT_NOON.repeat(len(keys)), PERIOD.repeat(len(keys))
    told: list[int] = []

    def refuse(_done: int) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        index.match(keys, starts, periods, threads=2, progress=refuse)
    index.match(keys, starts, periods, threads=2, progress=told.append)

    assert told == sorted(told)
    assert told[-1] == len(keys)
