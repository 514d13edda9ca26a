"""Reading TEK Chunks: unpack, verify, and only then parse; all of a file or nothing."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from google.protobuf.message import DecodeError

from immuni.export.container import MAX_EXPORT_BYTES, read_container
from immuni.export.errors import ExportFieldError, MalformedExportError
from immuni.export.fields import split_message
from immuni.export.model import EXPORT_HEADER, Export, SignatureInfo
from immuni.export.packed import PackedKeys
from immuni.export.proto import export_pb2
from immuni.export.signatures import (
    VerificationKey,
    info_of,
    parse_signatures,
    verify_signatures,
)
from immuni.keys import (
    INTERVAL_SECONDS,
    KEY_LENGTH,
    TEK_ROLLING_PERIOD,
    DiagnosisKey,
    ENIntervalNumber,
    InvalidKeyError,
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


def read_export(
    data: bytes, keys: Sequence[VerificationKey], *, max_bytes: int = MAX_EXPORT_BYTES
) -> Export:
    """Read a TEK Chunk that one of `keys` signed.

    Args:
        data: The whole file.
        keys: The keys that are trusted; one good signature of one of them is enough.
        max_bytes: Limit of the file and of what it unpacks to.

    Raises:
        SignatureMismatchError: No trusted key signed the file; it was not parsed.
        ExportError: Any other fault, named by the leaf and its message. Nothing was returned.

    Complexity:
        Time and memory grow with `max_bytes`, whatever the file declares.
    """
    container = read_container(data, max_bytes=max_bytes)
    verify_signatures(container.export_bin, parse_signatures(container.export_sig), keys)
    return _parse(container.export_bin)


def read_unverified_export(data: bytes, *, max_bytes: int = MAX_EXPORT_BYTES) -> Export:
    """Read a TEK Chunk, whoever made it: to look at, never to warn anybody by.

    Raises:
        ExportError: Any fault but the signature's. Nothing was returned.
    """
    container = read_container(data, max_bytes=max_bytes)
    parse_signatures(container.export_sig)
    return _parse(container.export_bin)


def read_signature_infos(
    data: bytes, *, max_bytes: int = MAX_EXPORT_BYTES
) -> tuple[SignatureInfo, ...]:
    """Return what the signatures of a TEK Chunk claim about themselves, verifying none.

    Raises:
        ExportError: The container or ``export.sig`` is damaged.
    """
    container = read_container(data, max_bytes=max_bytes)
    return tuple(signature.info for signature in parse_signatures(container.export_sig))


def _parse(export_bin: bytes) -> Export:
    """Parse ``export.bin``.

    Layout:
        ``0..15`` header, then protobuf ``TemporaryExposureKeyExport`` to the end.
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
