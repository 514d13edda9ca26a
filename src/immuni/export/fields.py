"""The outer fields of a protobuf message, found without parsing what is in them.

A hostile file of 64 MiB can declare thirty million empty keys, for each of which the protobuf
library allocates an object. So ``export.bin`` is cut at the borders of its outer fields into runs
of bounded size, and the library parses one run at a time. Protobuf allows that: serialised messages
that follow each other are one message. Records too short to be a key end the reading at once.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from immuni.export.errors import ExportFieldError, MalformedExportError

MAX_OTHER_BYTES: Final = 64 * 1024
"""Limit of all fields beside the repeated ones; a real file has less than one thousand bytes."""
_RUN_LENGTH: Final = 4096
_MAX_VARINT_BYTES: Final = 10

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH_DELIMITED: Final = 2
_FIXED32: Final = 5


@dataclass(frozen=True, slots=True)
class SplitMessage:
    """A message, cut into pieces that are messages of the same type.

    Attributes:
        other: The fields that were not asked for, together.
        runs: The repeated fields in their order, as many as one may parse at once in each.
    """

    other: bytes
    runs: list[memoryview]


def split_message(
    body: bytes, start: int, repeated: Collection[int], *, least_bytes: int
) -> SplitMessage:
    """Cut the message that begins at `start` of `body` into runs of bounded size.

    Args:
        body: The bytes that hold the message; it goes on to their end.
        start: Where it begins.
        repeated: The numbers of the fields to put into runs.
        least_bytes: What a record of such a field has at least.

    Raises:
        ExportFieldError: A record of a repeated field is too short.
        MalformedExportError: The bytes are not protobuf, or hold too much beside `repeated`.

    Source:
        Protocol Buffers, "Encoding".
    """
    view = memoryview(body)
    other = bytearray()
    runs: list[memoryview] = []
    run_start, run_count = start, 0
    position = start
    while position < len(body):
        record_start = position
        tag, position = _varint(body, position)
        position = _after_value(body, position, tag & 7)
        if tag & 7 == _LENGTH_DELIMITED and tag >> 3 in repeated:
            if position - record_start < least_bytes:
                raise ExportFieldError(
                    f"field {tag >> 3} holds a key of {position - record_start} bytes, "
                    f"it takes {least_bytes}"
                )
            run_count += 1
            if run_count < _RUN_LENGTH:
                continue
            record_start = position
        else:
            other += view[record_start:position]
            if len(other) > MAX_OTHER_BYTES:
                raise MalformedExportError(f"the fields beside keys exceed {MAX_OTHER_BYTES} bytes")
        if run_count:
            runs.append(view[run_start:record_start])
        run_start, run_count = position, 0
    if run_count:
        runs.append(view[run_start:position])
    return SplitMessage(bytes(other), runs)


def _after_value(body: bytes, position: int, wire_type: int) -> int:
    """Return where the value at `position` ends."""
    if wire_type == _LENGTH_DELIMITED:
        length, position = _varint(body, position)
        end = position + length
    elif wire_type == _VARINT:
        _, end = _varint(body, position)
    elif wire_type == _FIXED64:
        end = position + 8
    elif wire_type == _FIXED32:
        end = position + 4
    else:
        raise MalformedExportError(f"export.bin holds a field of unknown wire type {wire_type}")
    if end > len(body):
        raise MalformedExportError("export.bin is cut off within a field")
    return end


def _varint(body: bytes, position: int) -> tuple[int, int]:
    """Read a number of seven bits per byte, lowest first; return it and where it ends."""
    value = 0
    for index, byte in enumerate(body[position : position + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise MalformedExportError("export.bin holds a number that does not end")
