"""The TEK Chunk file that phones download: reading, verifying, writing."""

from immuni.export.container import MAX_EXPORT_BYTES
from immuni.export.errors import (
    ExportError,
    ExportFieldError,
    InvalidVerificationKeyError,
    MalformedContainerError,
    MalformedExportError,
    MalformedSignatureError,
    OversizeExportError,
    SignatureMismatchError,
)
from immuni.export.model import ECDSA_P256_SHA256, Export, SignatureInfo
from immuni.export.reader import read_export, read_signature_infos, read_unverified_export
from immuni.export.signatures import ExportSigner, VerificationKey
from immuni.export.writer import write_export

__all__ = [
    "ECDSA_P256_SHA256",
    "MAX_EXPORT_BYTES",
    "Export",
    "ExportError",
    "ExportFieldError",
    "ExportSigner",
    "InvalidVerificationKeyError",
    "MalformedContainerError",
    "MalformedExportError",
    "MalformedSignatureError",
    "OversizeExportError",
    "SignatureInfo",
    "SignatureMismatchError",
    "VerificationKey",
    "read_export",
    "read_signature_infos",
    "read_unverified_export",
    "write_export",
]
