"""SafetyNet: a verdict in a JWS, signed by a host of Google's.

Source:
    Analytics, "Android: attestation"; SafetyNet Attestation API; RFC 7515.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import ECKey, RSAKey

from immuni.backend.analytics.attestation.chain import LeafKey, TrustRoots
from immuni.backend.analytics.attestation.reading import from_base64, parse
from immuni.backend.analytics.attestation.rules import AcceptedApp, Refusal, is_timely, require
from immuni.backend.analytics.attestation.signed import Header, read_header, signed_payload

_HARDWARE: Final = "HARDWARE_BACKED"


class _Header(Header, frozen=True, kw_only=True):
    alg: Literal["RS256", "ES256"]
    x5c: list[str]


class Verdict(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What SafetyNet says, as far as it is asked for; members that are not are ignored.

    Attributes:
        nonce: base64 of what the phone had attested.
        timestamp_ms: When, in milliseconds since the Unix epoch.
        apk_certificate_digest_sha256: base64 of the digests of the app's certificates.
        evaluation_type: How it was found out, separated by commas.
    """

    nonce: str
    timestamp_ms: int
    apk_package_name: str
    apk_certificate_digest_sha256: list[str]
    basic_integrity: bool
    cts_profile_match: bool
    evaluation_type: str = ""


@dataclass(frozen=True, slots=True)
class SafetyNet:
    """Verifies SafetyNet's attestations.

    Attributes:
        roots: Where the chain of Google's host must end.
        app: Of which phones.
    """

    roots: TrustRoots
    app: AcceptedApp

    def verify(self, token: str, *, nonce: bytes, now: datetime) -> None:
        """Make sure that a genuine phone made this report, now.

        Args:
            token: A JWS in compact serialisation, at most as long as the API allows.
            nonce: What must have been attested.
            now: The server's time.

        Raises:
            AttestationRefusedError: It does not vouch for the report.
        """
        verdict = self.signed_verdict(token, now)
        require(is_timely(verdict.timestamp_ms, now), Refusal.TIME)
        require(from_base64(verdict.nonce) == nonce, Refusal.NONCE)
        digests = [from_base64(each) for each in verdict.apk_certificate_digest_sha256]
        require(self.app.is_named(verdict.apk_package_name), Refusal.APP)
        require(self.app.is_signed_with(digests), Refusal.APP)
        require(verdict.basic_integrity and verdict.cts_profile_match, Refusal.DEVICE)
        require(_HARDWARE in verdict.evaluation_type.split(","), Refusal.DEVICE)

    def signed_verdict(self, token: str, now: datetime) -> Verdict:
        """Return a verdict that is Google's, whatever it says.

        Raises:
            AttestationRefusedError: It is not, or the certificates are not valid now.
        """
        header = read_header(_Header, token)
        key = self.roots.key_of(header.x5c, now)
        return parse(Verdict, signed_payload(token, _jose_key(key)))


def _jose_key(key: LeafKey) -> ECKey | RSAKey:
    return RSAKey.import_key(key) if isinstance(key, rsa.RSAPublicKey) else ECKey.import_key(key)
