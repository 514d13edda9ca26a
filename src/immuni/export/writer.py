"""Writing TEK Chunks: the same keys, window and signatures are the same bytes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from google.protobuf.message import Message

from immuni.export.container import Container, write_container
from immuni.export.errors import ExportFieldError
from immuni.export.model import ECDSA_P256_SHA256, EXPORT_HEADER, Export
from immuni.export.proto import export_pb2
from immuni.export.signatures import MAX_SIGNATURES, ExportSigner
from immuni.keys import DiagnosisKey

_Message = export_pb2.TemporaryExposureKeyExport
_ReportType = export_pb2.TemporaryExposureKey.ReportType
# How many keys are messages at the same time: enough to be fast, too few to fill the memory.
_RUN_LENGTH: Final = 4096


def write_export(
    export: Export,
    signers: Sequence[ExportSigner],
    *,
    app_bundle_id: str = "",
    android_package: str = "",
) -> bytes:
    """Write a TEK Chunk file, signed by every one of `signers`.

    Args:
        export: What to publish. Keys are sorted by `key_data`, which is random: neighbours say
            nothing about who uploaded together. Its `signature_infos` give way to those of the
            signers.
        signers: At least one; several during the rotation of a key.
        app_bundle_id: Named in each signature info; left out when empty.
        android_package: Likewise.

    Returns:
        The zip. The same bytes whenever content and signatures are the same.

    Raises:
        ExportFieldError: There is no signer, there are too many, or a field does not fit the file.

    Complexity:
        Beside the file itself some 100 bytes a key.
    """
    if not 1 <= len(signers) <= MAX_SIGNATURES:
        raise ExportFieldError(f"a chunk has 1..{MAX_SIGNATURES} signers, got {len(signers)}")
    infos = [
        export_pb2.SignatureInfo(
            app_bundle_id=app_bundle_id or None,
            android_package=android_package or None,
            verification_key_version=signer.key_version,
            verification_key_id=signer.key_id,
            signature_algorithm=ECDSA_P256_SHA256,
        )
        for signer in signers
    ]
    export_bin = _export_bin(export, infos)
    signatures = export_pb2.TEKSignatureList(
        signatures=[
            export_pb2.TEKSignature(
                signature_info=info,
                batch_num=export.batch_num,
                batch_size=export.batch_size,
                signature=signer.sign(export_bin),
            )
            for info, signer in zip(infos, signers, strict=True)
        ]
    )
    return write_container(Container(export_bin, _serialised(signatures)))


def _export_bin(export: Export, infos: Iterable[export_pb2.SignatureInfo]) -> bytes:
    """Serialise the header and, run by run, the keys: messages in a row are one message."""
    head = _Message(
        start_timestamp=int(export.start.timestamp()),
        end_timestamp=int(export.end.timestamp()),
        region=export.region,
        batch_num=export.batch_num,
        batch_size=export.batch_size,
        signature_infos=infos,
    )
    pieces = [EXPORT_HEADER, _serialised(head)]
    try:
        pieces += [_serialised(_Message(keys=run)) for run in _runs(export.keys)]
        pieces += [_serialised(_Message(revised_keys=run)) for run in _runs(export.revised_keys)]
    except ValueError as error:
        raise ExportFieldError("a key's number exceeds the 32 bits of its field") from error
    return b"".join(pieces)


def _serialised(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _runs(keys: Sequence[DiagnosisKey]) -> Iterator[list[export_pb2.TemporaryExposureKey]]:
    """Yield the keys as messages, in the order of their bytes, some thousand at a time."""
    # Places are sorted rather than keys: a packed sequence builds a key only when asked.
    places = sorted(range(len(keys)), key=lambda place: keys[place].tek.key_data)
    for first in range(0, len(places), _RUN_LENGTH):
        yield [_key(keys[place]) for place in places[first : first + _RUN_LENGTH]]


def _key(key: DiagnosisKey) -> export_pb2.TemporaryExposureKey:
    return export_pb2.TemporaryExposureKey(
        key_data=key.tek.key_data,
        transmission_risk_level=key.transmission_risk_level,
        rolling_start_interval_number=key.tek.rolling_start_number,
        rolling_period=key.tek.rolling_period,
        report_type=_ReportType.ValueType(key.report_type),
        days_since_onset_of_symptoms=key.days_since_onset_of_symptoms,
    )
