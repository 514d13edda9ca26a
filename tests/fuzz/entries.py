"""Three ways into the reader of chunk files, each with what must hold whatever the bytes."""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from immuni.export import (
    Export,
    ExportError,
    read_export,
    read_signature_infos,
    read_unverified_export,
)
from immuni.export.container import Container, read_container, write_container
from immuni.export.model import ECDSA_P256_SHA256
from immuni.export.proto.export_pb2 import SignatureInfo, TEKSignature, TEKSignatureList
from tests.unit.export.chunks import SAMPLE, SAMPLE_KEY, Signer
from tests.unit.export.reference_reader import parse_by_the_library

# A key that everybody knows, so that a run can be repeated.
SIGNER: Final = Signer(private_key=derive_private_key(1, SECP256R1()))
HEADER: Final = b"EK Export v1    "
ORIGINAL: Final = read_export(SAMPLE, [SAMPLE_KEY])
SAMPLE_BIN: Final = read_container(SAMPLE).export_bin
# Enough for every rule, and soon refused where a rule bounds the size.
MAX_BYTES: Final = 1 << 20


def fuzz_file(data: bytes) -> None:
    """A whole file: nothing but the sample verifies, and unverified it is a value or refused."""
    verified = attempt(lambda: read_export(data, [SAMPLE_KEY], max_bytes=MAX_BYTES))
    assert verified in (None, ORIGINAL)
    unverified = attempt(lambda: read_unverified_export(data, max_bytes=MAX_BYTES))
    if unverified is not None:
        content = read_container(data, max_bytes=MAX_BYTES)
        assert unverified == parse_by_the_library(content.export_bin)


def fuzz_bin(data: bytes) -> None:
    """The message within, properly signed: it means what the protobuf library says it means."""
    export_bin = HEADER + data
    file = write_container(Container(export_bin, signed(export_bin)))
    understood = attempt(lambda: read_export(file, [SIGNER.verification_key]))
    assert understood == attempt(lambda: parse_by_the_library(export_bin))


def fuzz_sig(data: bytes) -> None:
    """The signatures beside a good message: it verifies as a whole or not at all."""
    file = write_container(Container(SAMPLE_BIN, data))
    assert attempt(lambda: read_export(file, [SAMPLE_KEY])) in (None, ORIGINAL)
    try:
        read_signature_infos(file)
    except ExportError:
        return


ENTRIES: Final[Mapping[str, Callable[[bytes], None]]] = {
    "file": fuzz_file,
    "bin": fuzz_bin,
    "sig": fuzz_sig,
}


def attempt(read: Callable[[], Export]) -> Export | None:
    """Return what was read; None where it was refused in the one way in which it may be."""
    try:
        return read()
    except ExportError:
        return None


def signed(export_bin: bytes) -> bytes:
    """Return ``export.sig`` for `export_bin`."""
    info = SignatureInfo(
        verification_key_id=SIGNER.key_id,
        verification_key_version=SIGNER.key_version,
        signature_algorithm=ECDSA_P256_SHA256,
    )
    signature = TEKSignature(signature_info=info, signature=SIGNER.sign(export_bin))
    return TEKSignatureList(signatures=[signature]).SerializeToString()
