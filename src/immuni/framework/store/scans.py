"""How the sightings of a scan lie in one row of the database, column by column.

Layout:
    ``id``: seconds since 1970 at which the first was heard × 65536, plus the row's place among
    those of that second. So the rows lie in the order of time, a day's beside each other.
    ``since_scan_seconds``: time from the scan before; NULL where unknown.
    ``rpis``, ``aems``: 16 and 4 bytes a sighting. ``usable``: a byte each, 0 where there is no
    AEM; NULL where all have one. ``rssis_dbm``: a signed byte each. ``offsets_seconds``: a byte
    each, the time after that of the row.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import chain, repeat
from operator import add, mul, rshift
from typing import Final, cast

from immuni.framework.store.encrypted_database import Row
from immuni.matching import AEM_LENGTH, PackedSightings, Sighting

LONGEST_SPAN_SECONDS: Final = 255
MOST_SIGHTINGS: Final = 88
"""Two such rows fill a page, and none lies across two, where it could not be searched for."""

_PLACE_BITS: Final = 16
_UNKNOWN_SCAN: Final = -1
_MICROSECONDS: Final = 1_000_000
_UNUSABLE: Final = bytes(AEM_LENGTH)


def first_id(second: int) -> int:
    """Return the least id of a row that begins with `second` of the time since 1970."""
    return second << _PLACE_BITS


def second_of(row_id: int) -> int:
    """Return the second of the time since 1970 with which a row begins."""
    return row_id >> _PLACE_BITS


def scan_rows(
    sightings: Sequence[Sighting], since_scan: timedelta | None = None
) -> Iterator[tuple[int, Row]]:
    """Pack sightings into rows, in the order of time.

    Args:
        sightings: Of one scan, or of many.
        since_scan: Time from the scan before; without it what each sighting says counts.

    Yields:
        The second with which a row begins, and its columns but the id.
    """
    seconds = [int(sighting.seen_at.timestamp()) for sighting in sightings]
    order = sorted(range(len(seconds)), key=seconds.__getitem__)
    begin = 0
    for end in range(1, len(order) + 1):
        first, following = order[begin], order[end] if end < len(order) else None
        if (
            following is None
            or end - begin == MOST_SIGHTINGS
            or seconds[following] - seconds[first] > LONGEST_SPAN_SECONDS
            or sightings[following].since_scan != sightings[first].since_scan
        ):
            row = order[begin:end]
            offsets = bytes(seconds[place] - seconds[first] for place in row)
            yield seconds[first], _columns([sightings[place] for place in row], offsets, since_scan)
            begin = end


def packed_sightings(rows: Iterable[Row]) -> PackedSightings:
    """Unpack rows, their ids included, without making a value of each sighting.

    Complexity:
        A million sightings take a fraction of a second.
    """
    columns = tuple(zip(*rows, strict=True))
    if not columns:
        return PackedSightings()
    ids, since_scans, rpis, aems, usables, rssis, offsets = columns
    blobs = cast("tuple[bytes, ...]", rssis)
    counts = [len(blob) for blob in blobs]
    begins = _spread(map(rshift, cast("tuple[int, ...]", ids), repeat(_PLACE_BITS)), counts)
    seconds = map(add, begins, b"".join(cast("tuple[bytes, ...]", offsets)))
    since = (
        _UNKNOWN_SCAN if value is None else value * _MICROSECONDS
        for value in cast("tuple[int | None, ...]", since_scans)
    )
    return PackedSightings.from_columns(
        rpis=bytearray().join(cast("tuple[bytes, ...]", rpis)),
        aems=bytearray().join(cast("tuple[bytes, ...]", aems)),
        has_aem=bytearray().join(
            b"\x01" * count if usable is None else usable
            for usable, count in zip(cast("tuple[bytes | None, ...]", usables), counts, strict=True)
        ),
        rssis_dbm=array("b", b"".join(blobs)),
        seen_at_us=array("q", map(mul, seconds, repeat(_MICROSECONDS))),
        since_scan_us=array("q", _spread(since, counts)),
    )


def _columns(scan: Sequence[Sighting], offsets: bytes, since_scan: timedelta | None) -> Row:
    if since_scan is None:
        since_scan = scan[0].since_scan
    usable = bytes(sighting.aem is not None for sighting in scan)
    return (
        None if since_scan is None else round(since_scan.total_seconds()),
        b"".join([sighting.rpi for sighting in scan]),
        b"".join([sighting.aem or _UNUSABLE for sighting in scan]),
        None if all(usable) else usable,
        array("b", [sighting.rssi_dbm for sighting in scan]).tobytes(),
        offsets,
    )


def _spread(values: Iterable[int], counts: Iterable[int]) -> Iterator[int]:
    """Repeat each value as often as its row has sightings."""
    return chain.from_iterable(map(repeat, values, counts))
