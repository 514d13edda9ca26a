"""Reading TEK Chunks: unpack, verify, and only then parse; all of a file or nothing."""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from google.protobuf.message import DecodeError

from immuni import _core
from immuni.export.container import MAX_EXPORT_BYTES, read_container
from immuni.export.errors import ExportFieldError, MalformedExportError
from immuni.export.model import EXPORT_HEADER, Export, SignatureInfo
from immuni.export.proto import export_pb2
from immuni.export.signatures import (
    VerificationKey,
    info_of,
    parse_signatures,
    verify_signatures,
)
from immuni.keys import PackedKeys

_Message = export_pb2.TemporaryExposureKeyExport
_KeyColumns = tuple[bytes, bytes, bytes, bytes, bytes, bytes]
# The first second of the year 10000: what lies beyond is no time that Python knows.
_END_OF_TIME: Final = 253_402_300_800


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
    try:
        other, keys, revised_keys = _core.parse_export(export_bin, len(EXPORT_HEADER))
    except _core.MalformedMessageError as error:
        raise MalformedExportError(str(error)) from error
    except ValueError as error:
        raise ExportFieldError(str(error)) from error
    try:
        message = _Message.FromString(other)
        return Export(
            start=_instant("start_timestamp", message.start_timestamp),
            end=_instant("end_timestamp", message.end_timestamp),
            region=message.region,
            batch_num=message.batch_num if message.HasField("batch_num") else 1,
            batch_size=message.batch_size if message.HasField("batch_size") else 1,
            keys=_packed(keys),
            revised_keys=_packed(revised_keys),
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


def _packed(columns: _KeyColumns) -> PackedKeys:
    key_data, starts, periods, levels, report_types, onsets = columns
    return PackedKeys.from_columns(
        key_data=key_data,
        rolling_starts=array("I", starts),
        rolling_periods=periods,
        transmission_risk_levels=levels,
        report_types=report_types,
        onsets=array("q", onsets),
    )
