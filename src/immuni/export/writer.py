"""Writing TEK Chunks: the same keys, window and signatures are the same bytes."""

from collections.abc import Iterable, Sequence

from google.protobuf.message import Message

from immuni import _core
from immuni.export.container import Container, write_container
from immuni.export.errors import ExportFieldError
from immuni.export.model import ECDSA_P256_SHA256, EXPORT_HEADER, Export
from immuni.export.proto import export_pb2
from immuni.export.signatures import MAX_SIGNATURES, ExportSigner
from immuni.keys import DiagnosisKey, PackedKeys

_Message = export_pb2.TemporaryExposureKeyExport


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
        Beside the file itself some 100 bytes a key, where the keys come packed.
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
    """Serialise the header, then the keys: messages in a row are one message."""
    head = _Message(
        start_timestamp=int(export.start.timestamp()),
        end_timestamp=int(export.end.timestamp()),
        region=export.region,
        batch_num=export.batch_num,
        batch_size=export.batch_size,
        signature_infos=infos,
    )
    keys = _records(export.keys, revised=False)
    revised_keys = _records(export.revised_keys, revised=True)
    return b"".join([EXPORT_HEADER, _serialised(head), keys, revised_keys])


def _serialised(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _records(keys: Sequence[DiagnosisKey], *, revised: bool) -> bytes:
    """Serialise the keys of one list, in the order of their bytes."""
    packed = keys if isinstance(keys, PackedKeys) else PackedKeys(keys)
    try:
        return _core.serialise_keys(
            packed.key_data,
            packed.rolling_starts,
            packed.rolling_periods,
            packed.transmission_risk_levels,
            packed.report_types,
            packed.onsets,
            revised,
        )
    except ValueError as error:
        raise ExportFieldError(str(error)) from error
