"""The index of the log of sightings, kept from one detection to the next."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import repeat
from typing import Final, cast

from immuni.framework.store.encrypted_database import Row
from immuni.framework.store.scans import first_id, second_of
from immuni.keys import INTERVAL_SECONDS, ENIntervalNumber
from immuni.matching import SightingIndex

_BATCH: Final = 2**18
"""Sightings that are indexed at a time: beside the index, memory is needed for so many."""


class KeptIndex:
    """Which sightings of which rows the log has, as far as they were taken in.

    Rows are taken in by ascending id, and never change. What cannot be followed, such as a row
    between others, makes the index outdated: it is then made anew from the log.

    Complexity:
        The 32 bytes of `SightingIndex` for each sighting, and 16 for each row.

    Privacy:
        What was deleted from the log is no longer in memory once no detection goes on, apart from
        what was heard in the same ten minutes as the oldest that is left.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._clear()
        self._in_use = False
        self._outdated = False
        self._cut = 0

    @contextmanager
    def use(self, rows_after: Callable[[int], Iterable[Row]]) -> Iterator[SightingIndex]:
        """Take in what is new, and lend the index, which does not change meanwhile.

        Args:
            rows_after: Returns id, identifiers and offsets of all rows whose id is greater than
                the given one, by ascending id.
        """
        self._take_in(rows_after(self._last_id))
        self._in_use = True
        try:
            yield self._index
        except BaseException as fault:
            # The thread of a search that was cancelled goes on, with an index that is left to it.
            self._outdated |= not isinstance(fault, Exception)
            raise
        finally:
            self._in_use = False
            self._tidy()

    @property
    def is_current(self) -> bool:
        """Whether every row that was taken in is in the log still."""
        return not self._outdated and self._cut == 0

    def rows_of(self, places: Iterable[int]) -> list[int]:
        """Return the ids of the rows to which sightings of the index belong, each once."""
        rows = {bisect_right(self._begins, place) - 1 for place in places}
        return [self._ids[row] for row in sorted(rows) if row >= 0]

    def note_addition(self, second: int) -> None:
        """Learn that rows were added, of which the first begins with a second."""
        self._outdated |= second < second_of(self._last_id)
        self._tidy()

    def note_deletion(self, before_second: int) -> None:
        """Learn that all rows which began before a second of the time since 1970 are deleted."""
        self._cut = max(self._cut, before_second)
        self._tidy()

    def forget(self) -> None:
        """Take in the log from its beginning the next time."""
        self._outdated = True
        self._tidy()

    def _tidy(self) -> None:
        if self._in_use:
            return
        if self._outdated:
            self._clear()
        elif self._ids and self._ids[0] < first_id(self._cut):
            self._index.forget_before(ENIntervalNumber(self._cut // INTERVAL_SECONDS))
            gone = bisect_left(self._ids, first_id(self._cut))
            # The places of what is left stay theirs.
            del self._ids[:gone], self._begins[:gone]
        self._outdated, self._cut = False, 0

    def _clear(self) -> None:
        self._index = SightingIndex(b"", array("I"))
        self._ids = array("q")
        self._begins = array("Q")
        self._last_id = -1
        self._next_place = 0

    def _take_in(self, rows: Iterable[Row]) -> None:
        batch = _Batch()
        for row in cast("Iterable[tuple[int, bytes, bytes]]", rows):
            batch.add(*row)
            if len(batch.intervals) >= _BATCH:
                self._append(batch)
                batch = _Batch()
        self._append(batch)

    def _append(self, batch: "_Batch") -> None:
        if not batch.ids:
            return
        self._index.append(batch.rpis, batch.intervals)
        self._ids += batch.ids
        self._begins.extend(self._next_place + begin for begin in batch.begins)
        self._next_place += len(batch.intervals)
        self._last_id = batch.ids[-1]


class _Batch:
    """Rows whose sightings are indexed together."""

    def __init__(self) -> None:
        self.ids = array("q")
        self.begins = array("Q")
        self.rpis = bytearray()
        self.intervals = array("I")

    def add(self, row_id: int, rpis: bytes, offsets: bytes) -> None:
        second = second_of(row_id)
        self.ids.append(row_id)
        self.begins.append(len(self.intervals))
        self.rpis += rpis
        first, last = second // INTERVAL_SECONDS, (second + offsets[-1]) // INTERVAL_SECONDS
        if first == last:
            self.intervals.extend(repeat(first, len(offsets)))
        else:
            self.intervals.extend((second + offset) // INTERVAL_SECONDS for offset in offsets)
