"""Finding the identifiers of published keys among those that were heard."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from immuni.crypto import RPI
from immuni.crypto.preliminary import PreliminaryDiagnosisKey
from immuni.keys import DiagnosisKey, ENIntervalNumber, PackedKeys
from immuni.matching.index import FoundColumns, SightingIndex
from immuni.matching.packed import PackedSightings, intervals_of, microseconds_of
from immuni.matching.revision import key_data_at, keys_in_force
from immuni.matching.sighting import RPI_LENGTH, InvalidSightingError

LONGEST_BROADCAST: Final = timedelta(seconds=1200)
"""No phone broadcasts one identifier for longer: what comes later is a replay."""
_LONGEST_BROADCAST_US: Final = LONGEST_BROADCAST // timedelta(microseconds=1)


class Heard(Protocol):
    """An identifier and when it was heard: a `Sighting` or what else has these two."""

    @property
    def rpi(self) -> RPI:
        """16 bytes."""
        ...

    @property
    def seen_at(self) -> datetime:
        """Aware, not before 1970."""
        ...


@dataclass(frozen=True, slots=True)
class Match:
    """A heard identifier that a published key generated.

    Attributes:
        key_index: Place of the key among those that were given.
        sighting_index: Place of the sighting among those that were given.
        interval: The interval for which the key generated the identifier.
    """

    key_index: int
    sighting_index: int
    interval: ENIntervalNumber


@dataclass(frozen=True, slots=True)
class _Columns:
    """What matching needs of the sightings; intervals are made of the moments."""

    rpis: bytearray
    seen_at_us: "array[int]"


def recognise(
    keys: Sequence[DiagnosisKey] | Sequence[PreliminaryDiagnosisKey], sightings: Sequence[Heard]
) -> list[Match]:
    """Find the sightings of the identifiers of `keys`.

    A sighting counts when it was heard within two hours of the interval of its identifier, and no
    more than twenty minutes after the first such sighting of that identifier.

    Args:
        keys: Of one generation, in the order of publication, revised keys last.
        sightings: In any order; identifiers may repeat.

    Returns:
        The matches, by key, then by place of the sighting.

    Raises:
        InvalidSightingError: An identifier or a time is none.
        TypeError: `keys` are of both generations.

    Complexity:
        That of building a `SightingIndex` and matching with it. `PackedKeys` and `PackedSightings`
        are taken as they are, anything else is packed first.
    """
    columns = _columns(sightings)
    index = SightingIndex(columns.rpis, intervals_of(columns.seen_at_us))
    preliminary = _preliminary(keys)
    if preliminary:
        matches = _matches_of_preliminary(preliminary, index)
    else:
        matches = _matches_of_final(_packed(keys), index)
    return _without_replays(matches, columns.seen_at_us)


def places_heard(keys: PackedKeys, index: SightingIndex) -> memoryview:
    """Find the sightings of the identifiers of `keys`, replays included.

    Whoever keeps an index for long, but sightings elsewhere, learns which ones `recognise` has to
    be given, to find in them what it would find in all.

    Args:
        keys: In the order of publication, revised keys last.
        index: Of any number of sightings.

    Returns:
        The place of each, 64 bits unsigned; of those that several keys made, several times.
    """
    _, found = _found_in_force(keys, index)
    return found.sightings


def _columns(sightings: Sequence[Heard]) -> _Columns:
    if isinstance(sightings, PackedSightings):
        return _Columns(sightings.rpis, sightings.seen_at_us)
    columns = _Columns(bytearray(), array("q"))
    for heard in sightings:
        if len(heard.rpi) != RPI_LENGTH:
            raise InvalidSightingError(f"an RPI has {RPI_LENGTH} bytes, got {len(heard.rpi)}")
        columns.rpis.extend(heard.rpi)
        columns.seen_at_us.append(microseconds_of(heard.seen_at))
    return columns


def _preliminary(
    keys: Sequence[DiagnosisKey] | Sequence[PreliminaryDiagnosisKey],
) -> list[PreliminaryDiagnosisKey]:
    if isinstance(keys, PackedKeys):
        return []
    preliminary = [key for key in keys if isinstance(key, PreliminaryDiagnosisKey)]
    if 0 < len(preliminary) < len(keys):
        raise TypeError("keys must be of one generation")
    return preliminary


def _packed(keys: Sequence[DiagnosisKey] | Sequence[PreliminaryDiagnosisKey]) -> PackedKeys:
    if isinstance(keys, PackedKeys):
        return keys
    return PackedKeys(key for key in keys if isinstance(key, DiagnosisKey))


def _matches_of_final(keys: PackedKeys, index: SightingIndex) -> list[Match]:
    return _matches(*_found_in_force(keys, index))


def _found_in_force(keys: PackedKeys, index: SightingIndex) -> tuple[list[int], FoundColumns]:
    """Return the places of keys that count, and what was heard of these."""
    matched = index.matched_keys(keys.key_data, keys.rolling_starts, keys.rolling_periods)
    # A hostile file holds thousands of copies of a key, a flooded log thousands of its sightings:
    # before sightings are listed, one copy is left.
    places = sorted(keys_in_force(keys, among=matched)) if matched else []
    found = index.match(
        b"".join(key_data_at(keys, places)),
        array("I", [keys.rolling_starts[place] for place in places]),
        bytes(keys.rolling_periods[place] for place in places),
    )
    return places, found


def _matches_of_preliminary(
    keys: Sequence[PreliminaryDiagnosisKey], index: SightingIndex
) -> list[Match]:
    first: dict[PreliminaryDiagnosisKey, int] = {}
    for place, key in enumerate(keys):
        # A key that is published twice counts once.
        first.setdefault(key, place)
    key_data = b"".join(key.daily_tracing_key for key in first)
    found = index.match_preliminary(key_data, array("I", [key.day_number for key in first]))
    return _matches([*first.values()], found)


def _matches(places: Sequence[int], found: FoundColumns) -> list[Match]:
    """Name keys by their places among all, of which `places` are those that were looked for."""
    rows = zip(found.keys, found.sightings, found.intervals, strict=True)
    return [
        Match(places[key], sighting, ENIntervalNumber(interval)) for key, sighting, interval in rows
    ]


def _without_replays(matches: Sequence[Match], seen_at_us: "array[int]") -> list[Match]:
    """Drop what was heard too long after the first valid sighting of the same identifier."""
    first: dict[tuple[int, ENIntervalNumber], int] = {}
    for match in matches:
        identifier = (match.key_index, match.interval)
        heard = seen_at_us[match.sighting_index]
        first[identifier] = min(heard, first.get(identifier, heard))
    return [
        match
        for match in matches
        if seen_at_us[match.sighting_index] - first[match.key_index, match.interval]
        <= _LONGEST_BROADCAST_US
    ]
