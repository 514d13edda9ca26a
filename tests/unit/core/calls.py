"""Matching by either implementation, index and all, with results as lists of numbers."""

from array import array
from types import ModuleType

FoundMatch = tuple[int, int, int]
Octets = bytes | bytearray


def match_keys(
    core: ModuleType,
    key_data: Octets,
    rolling_starts: "array[int]",
    rolling_periods: Octets,
    rpis: Octets,
    intervals: "array[int]",
    tolerance: int,
) -> list[FoundMatch]:
    index = core.Index(rpis, intervals, tolerance)
    return rows(*index.match_keys(key_data, rolling_starts, rolling_periods))


def matched_keys(
    core: ModuleType,
    key_data: Octets,
    rolling_starts: "array[int]",
    rolling_periods: Octets,
    rpis: Octets,
    intervals: "array[int]",
    tolerance: int,
) -> list[int]:
    index = core.Index(rpis, intervals, tolerance)
    return [*array("Q", index.matched_keys(key_data, rolling_starts, rolling_periods))]


def match_preliminary_keys(
    core: ModuleType,
    key_data: Octets,
    day_numbers: "array[int]",
    rpis: Octets,
    intervals: "array[int]",
    tolerance: int,
) -> list[FoundMatch]:
    index = core.Index(rpis, intervals, tolerance)
    return rows(*index.match_preliminary_keys(key_data, day_numbers))


def rows(keys: bytes, sightings: bytes, intervals: bytes) -> list[FoundMatch]:
    """Return the columns of matches as rows."""
    columns = array("Q", keys), array("Q", sightings), array("I", intervals)
    return [*zip(*columns, strict=True)]
