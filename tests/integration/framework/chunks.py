"""Published keys, signed as the authority does, for tests of the framework."""

from collections.abc import Sequence
from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from immuni.export import Export, VerificationKey, write_export
from immuni.keys import DiagnosisKey, ReportType, TemporaryExposureKey
from tests.unit.framework.phones import NOON


class Signer:
    """The authority's key, in memory."""

    key_id = "222"
    key_version = "v1"

    def __init__(self) -> None:
        self._private_key = ec.generate_private_key(ec.SECP256R1())

    def sign(self, data: bytes) -> bytes:
        return self._private_key.sign(data, ec.ECDSA(hashes.SHA256()))

    @property
    def verification_key(self) -> VerificationKey:
        return VerificationKey(self.key_id, self.key_version, self._private_key.public_key())


SIGNER = Signer()


def diagnosis_keys(
    teks: Sequence[TemporaryExposureKey], report_type: ReportType = ReportType.CONFIRMED_TEST
) -> list[DiagnosisKey]:
    """Return keys as they are published."""
    return [
        DiagnosisKey(
            tek, transmission_risk_level=5, report_type=report_type, days_since_onset_of_symptoms=0
        )
        for tek in sorted(teks, key=lambda tek: tek.key_data)
    ]


def chunk(
    teks: Sequence[TemporaryExposureKey],
    signer: Signer = SIGNER,
    *,
    report_type: ReportType = ReportType.CONFIRMED_TEST,
) -> bytes:
    """Return a TEK Chunk of new keys."""
    keys = diagnosis_keys(teks, report_type)
    export = Export(start=NOON, end=NOON + timedelta(hours=4), region="222", keys=keys)
    return write_export(export, [signer])


def revision(teks: Sequence[TemporaryExposureKey], report_type: ReportType) -> bytes:
    """Return a TEK Chunk in which the report type of known keys changes."""
    keys = diagnosis_keys(teks, report_type)
    export = Export(start=NOON, end=NOON + timedelta(hours=4), region="222", revised_keys=keys)
    return write_export(export, [SIGNER])
