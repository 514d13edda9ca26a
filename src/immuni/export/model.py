"""What a TEK Chunk says, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from immuni.export.errors import ExportFieldError
from immuni.keys import DiagnosisKey

ECDSA_P256_SHA256: Final = "1.2.840.10045.4.3.2"
"""The object identifier of the one signature algorithm of the format."""
EXPORT_HEADER: Final = b"EK Export v1    "
"""The first bytes of ``export.bin``."""
_MAX_INT32: Final = 2**31 - 1
_MAX_TEXT_LENGTH: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureInfo:
    """Which key made a signature, and how. Texts that a file does not give are empty.

    Attributes:
        verification_key_id: For our own files ``222``, the mobile country code of Italy.
        verification_key_version: Such as ``v1``; changes when the key is rotated.
        signature_algorithm: Dotted object identifier.
        app_bundle_id: Of the first version of the format.
        android_package: Of the first version of the format.
    """

    verification_key_id: str = ""
    verification_key_version: str = ""
    signature_algorithm: str = ""
    app_bundle_id: str = ""
    android_package: str = ""

    def __post_init__(self) -> None:
        """Check that every text is fit to be shown."""
        _check_text("verification_key_id", self.verification_key_id)
        _check_text("verification_key_version", self.verification_key_version)
        _check_text("signature_algorithm", self.signature_algorithm)
        _check_text("app_bundle_id", self.app_bundle_id)
        _check_text("android_package", self.android_package)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One TEK Chunk file.

    Attributes:
        start: Start of the window whose keys the file publishes, in whole seconds.
        end: End of that window.
        region: For our own files ``222``.
        batch_num: Number of this file in its batch, from one.
        batch_size: Number of files in the batch.
        keys: The published keys; sorted by `key_data` when written.
        revised_keys: Keys of earlier files whose report type has changed.
        signature_infos: The keys with which the file says that it was signed. They prove nothing.
    """

    start: datetime
    end: datetime
    region: str
    batch_num: int = 1
    batch_size: int = 1
    keys: Sequence[DiagnosisKey] = ()
    revised_keys: Sequence[DiagnosisKey] = ()
    signature_infos: tuple[SignatureInfo, ...] = ()

    def __post_init__(self) -> None:
        """Check the rules of the format."""
        _check_instant("start_timestamp", self.start)
        _check_instant("end_timestamp", self.end)
        if self.start > self.end:
            raise ExportFieldError("start_timestamp must not be after end_timestamp")
        if not 1 <= self.batch_num <= self.batch_size <= _MAX_INT32:
            raise ExportFieldError(
                f"batch_num must be in 1..batch_size, got {self.batch_num} of {self.batch_size}"
            )
        _check_text("region", self.region)


def _check_instant(name: str, instant: datetime) -> None:
    if instant.utcoffset() is None or instant.microsecond:
        raise ExportFieldError(f"{name} must be aware and in whole seconds")
    if instant.timestamp() <= 0:
        raise ExportFieldError(f"{name} must be given, and after 1970")


def _check_text(name: str, text: object) -> None:
    """Refuse texts that could not be shown: on a terminal, control characters do harm."""
    # The protobuf library hands out bytes, against its own types, where a text is not UTF-8.
    if not isinstance(text, str):
        raise ExportFieldError(f"{name} must be UTF-8")
    if len(text) > _MAX_TEXT_LENGTH or not text.isprintable():
        raise ExportFieldError(
            f"{name} must be printable and of at most {_MAX_TEXT_LENGTH} characters"
        )
