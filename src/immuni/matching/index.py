"""Identifiers that were heard, ready to be compared with any number of published keys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from immuni import _core
from immuni.keys import ENIntervalNumber
from immuni.matching.packed import PackedSightings

if TYPE_CHECKING:
    from typing_extensions import Buffer

Column: TypeAlias = "Buffer | NumPyArray"
CLOCK_TOLERANCE_INTERVALS: Final = 12
"""Two hours by which the clocks of two phones may differ."""


class NumPyArray(Protocol):
    """A NumPy array: type checkers learn only for Python 3.12 that it shows its memory."""

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """Where the memory is, and what is in it."""
        ...


@dataclass(frozen=True, slots=True)
class FoundColumns:
    """Sightings of published keys, a column for each field, by key, then by sighting.

    They are memory that NumPy and Arrow take as it lies: ``numpy.asarray(found.keys)`` copies
    nothing.

    Attributes:
        keys: Place of the key among those that were given, 64 bits unsigned each.
        sightings: Place of the sighting in the index, 64 bits unsigned each.
        intervals: The interval for which the key generated the identifier, 32 bits unsigned each.
    """

    keys: memoryview
    sightings: memoryview
    intervals: memoryview

    def __len__(self) -> int:
        """Return the number of sightings that were found."""
        return len(self.keys)


class SightingIndex:
    """Identifiers that were heard, found by published keys.

    Columns are taken from whatever shows its memory: `bytes`, `array`, a NumPy array. Those of
    numbers have one dimension and the type that is said; identifiers and keys have 16 bytes each,
    in the shape ``(n, 16)`` or in one dimension. They may have gaps, and are copied.

    Complexity:
        32 bytes a sighting, once there are some thousands; a million are indexed in about a tenth
        of a second.

    Privacy:
        Says who was near. It never leaves the phone.
    """

    def __init__(
        self,
        rpis: Column,
        intervals: Column,
        *,
        tolerance_intervals: int = CLOCK_TOLERANCE_INTERVALS,
    ) -> None:
        """Index sightings.

        Args:
            rpis: 16 bytes each; they may repeat.
            intervals: The interval in which each was heard, 32 bits unsigned.
            tolerance_intervals: By how many intervals a sighting may lie beside that of its
                identifier.

        Raises:
            TypeError: A column has another type, byte order or shape; the message says which.
            ValueError: The columns are not of one length.
        """
        self._index = _core.Index(rpis, intervals, tolerance_intervals)

    @classmethod
    def of(cls, sightings: PackedSightings) -> "SightingIndex":
        """Return an index of `sightings`, whose places are theirs."""
        return cls(sightings.rpis, sightings.intervals)

    def __len__(self) -> int:
        return len(self._index)

    @property
    def size_bytes(self) -> int:
        """The memory that the sightings take."""
        return self._index.size()

    def append(self, rpis: Column, intervals: Column) -> None:
        """Add sightings, whose places follow those that are there.

        Raises:
            TypeError: As for a new index; nothing was added.
            ValueError: The columns are not of one length; nothing was added.

        Complexity:
            Grows with what was heard on the days that are touched, not on others.
        """
        self._index.append(rpis, intervals)

    def forget_before(self, interval: ENIntervalNumber) -> None:
        """Drop what was heard before `interval`; the places of other sightings stay theirs.

        Complexity:
            Grows with the number of days, and with what was heard on the day of `interval`.
        """
        self._index.forget_before(interval)

    def match(
        self,
        key_data: Column,
        rolling_starts: Column,
        rolling_periods: Column,
        *,
        threads: int = 1,
        progress: Callable[[int], object] | None = None,
    ) -> FoundColumns:
        """Find the sightings of the identifiers of published keys.

        The interpreter's lock is released meanwhile.

        Args:
            key_data: 16 bytes each.
            rolling_starts: First interval of each, 32 bits unsigned.
            rolling_periods: 1..144 intervals of each, 8 bits.
            threads: How many threads share the work.
            progress: Called with the number of keys that are done, some twenty times a second.
                What it raises ends the search, and so does an interrupt from the keyboard.

        Raises:
            TypeError: A column has another type, byte order or shape; the message says which.
            ValueError: The columns are not of one length, or a number breaks a limit.

        Complexity:
            A derivation for each key that is valid when anything was heard, and one look-up for
            each of its intervals near which anything was heard. None of the work grows with the
            number of sightings but what it costs to reach memory.
        """
        found = self._index.match_keys(key_data, rolling_starts, rolling_periods, threads, progress)
        return _columns(*found)

    def matched_keys(
        self,
        key_data: Column,
        rolling_starts: Column,
        rolling_periods: Column,
        *,
        threads: int = 1,
        progress: Callable[[int], object] | None = None,
    ) -> memoryview:
        """Find the keys of which `match` would find a sighting.

        Copies of a key do not multiply with its sightings, however many there are of both.

        Args:
            key_data: As for `match`.
            rolling_starts: As for `match`.
            rolling_periods: As for `match`.
            threads: As for `match`.
            progress: As for `match`.

        Returns:
            The place of each, 64 bits unsigned, ascending.

        Raises:
            ValueError: The columns are not of one length, or a number breaks a limit.
        """
        index = self._index
        found = index.matched_keys(key_data, rolling_starts, rolling_periods, threads, progress)
        return memoryview(found).cast("Q")

    def match_preliminary(
        self,
        key_data: Column,
        day_numbers: Column,
        *,
        threads: int = 1,
        progress: Callable[[int], object] | None = None,
    ) -> FoundColumns:
        """Find the sightings of the identifiers of keys of the preliminary generation.

        Args:
            key_data: Daily Tracing Keys, 16 bytes each.
            day_numbers: Days since 1970, 32 bits unsigned each.
            threads: As for `match`.
            progress: As for `match`.

        Raises:
            ValueError: The columns are not of one length, or a day ends beyond 32 bits.
        """
        found = self._index.match_preliminary_keys(key_data, day_numbers, threads, progress)
        return _columns(*found)


def _columns(keys: bytes, sightings: bytes, intervals: bytes) -> FoundColumns:
    return FoundColumns(
        memoryview(keys).cast("Q"), memoryview(sightings).cast("Q"), memoryview(intervals).cast("I")
    )
