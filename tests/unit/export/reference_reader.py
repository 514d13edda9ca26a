"""``export.bin`` read by the protobuf library: what the native reader must agree with.

The library parses a whole file at once and is slower by a factor of ten or so, but it is what other
systems use. It is helped against hostile files as the native reader is: ``export.bin`` is cut at
the borders of its outer fields into runs of bounded size, and the library parses one run at a
time. Protobuf allows that: serialised messages that follow each other are one message. Records too
short to be a key end the reading at once.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from google.protobuf.message import DecodeError

from immuni.export import Export, ExportFieldError, MalformedExportError
from immuni.export.model import EXPORT_HEADER
from immuni.export.proto import export_pb2
from immuni.export.signatures import info_of
from immuni.keys import (
    INTERVAL_SECONDS,
    KEY_LENGTH,
    TEK_ROLLING_PERIOD,
    DiagnosisKey,
    ENIntervalNumber,
    InvalidKeyError,
    PackedKeys,
    ReportType,
    TemporaryExposureKey,
)

_Message = export_pb2.TemporaryExposureKeyExport
_KEY_FIELDS: Final = (_Message.KEYS_FIELD_NUMBER, _Message.REVISED_KEYS_FIELD_NUMBER)
# Tag and length of the record and of its `key_data`, and that.
_LEAST_KEY_BYTES: Final = 4 + KEY_LENGTH
# The first second of the year 10000: what lies beyond is no time that Python knows.
_END_OF_TIME: Final = 253_402_300_800
_LAST_START: Final = _END_OF_TIME // INTERVAL_SECONDS - TEK_ROLLING_PERIOD
MAX_OTHER_BYTES: Final = 64 * 1024
"""Limit of all fields beside the repeated ones; a real file has less than one thousand bytes."""
_RUN_LENGTH: Final = 4096
_MAX_VARINT_BYTES: Final = 10

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH_DELIMITED: Final = 2
_FIXED32: Final = 5


def parse_by_the_library(export_bin: bytes) -> Export:
    """Read ``export.bin``.

    Raises:
        ExportError: It is none, or a field breaks a rule.
    """
    if export_bin[: len(EXPORT_HEADER)] != EXPORT_HEADER:
        raise MalformedExportError("export.bin does not begin with 'EK Export v1'")
    pieces = split_message(
        export_bin, len(EXPORT_HEADER), _KEY_FIELDS, least_bytes=_LEAST_KEY_BYTES
    )
    try:
        message = _Message.FromString(pieces.other)
        return Export(
            start=_instant("start_timestamp", message.start_timestamp),
            end=_instant("end_timestamp", message.end_timestamp),
            region=message.region,
            batch_num=message.batch_num if message.HasField("batch_num") else 1,
            batch_size=message.batch_size if message.HasField("batch_size") else 1,
            keys=PackedKeys(_keys("keys", pieces.runs, lambda run: run.keys)),
            revised_keys=PackedKeys(
                _keys("revised_keys", pieces.runs, lambda run: run.revised_keys)
            ),
            signature_infos=tuple(map(info_of, message.signature_infos)),
        )
    except DecodeError as error:
        raise MalformedExportError(
            "export.bin is not a protobuf TemporaryExposureKeyExport"
        ) from error


def _instant(name: str, seconds: int) -> datetime:
    if seconds >= _END_OF_TIME:
        raise ExportFieldError(f"{name} must be in seconds before the year 10000, got {seconds}")
    return datetime.fromtimestamp(seconds, UTC)


def _keys(
    field: str,
    runs: Sequence[memoryview],
    of: Callable[
        [export_pb2.TemporaryExposureKeyExport], Sequence[export_pb2.TemporaryExposureKey]
    ],
) -> Iterator[DiagnosisKey]:
    """Yield the keys of one repeated field, parsing one run of the message at a time."""
    index = 0
    for run in runs:
        for message in of(_Message.FromString(bytes(run))):
            try:
                yield _key(message)
            except InvalidKeyError as error:
                raise ExportFieldError(f"{field}[{index}]: {error}") from error
            index += 1


def _key(message: export_pb2.TemporaryExposureKey) -> DiagnosisKey:
    onset = message.days_since_onset_of_symptoms
    known = onset != 0 or message.HasField("days_since_onset_of_symptoms")
    if message.rolling_start_interval_number > _LAST_START:
        raise InvalidKeyError("rolling_start_interval_number must lie before the year 10000")
    return DiagnosisKey(
        TemporaryExposureKey(
            message.key_data,
            ENIntervalNumber(message.rolling_start_interval_number),
            message.rolling_period,
        ),
        message.transmission_risk_level,
        # A type that the format does not know arrives as UNKNOWN: proto2 sets it aside.
        ReportType(message.report_type),
        onset if known else None,
    )


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
