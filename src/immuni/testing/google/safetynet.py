"""A stand-in for SafetyNet: verdicts in a JWS, under a certificate for Google's host.

Source:
    SafetyNet Attestation API, "Verify the SafetyNet attestation response"; RFC 7515.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from immuni.testing.google.app import AndroidApp
from immuni.testing.google.certificates import Identity, PrivateKey, Validity, issue

HOST: Final = "attest.android.com"
_MAX_HEADER_LENGTH: Final = 8192


@dataclass(frozen=True, slots=True)
class SafetyNetIssuer:
    """Signs verdicts.

    Attributes:
        root: What a service must trust to believe them.
        intermediate: Signed by the root; stands in each verdict.
        host: Signed by the intermediate, for Google's host; signs the verdicts.
    """

    root: Identity
    intermediate: Identity
    host: Identity

    @classmethod
    def make(cls, now: datetime, *, key: PrivateKey | None = None) -> Self:
        """Make an authority, valid for years, and a host.

        Args:
            now: Any time within the validity.
            key: The host's; RSA makes RS256 of the signatures, a new key on P-256 ES256.
        """
        validity = Validity.around(now)
        root = issue("Stand-in root", issuer=None, validity=validity, is_authority=True)
        intermediate = issue("Stand-in CA", issuer=root, validity=validity, is_authority=True)
        host = issue(HOST, issuer=intermediate, validity=validity, key=key, hosts=[HOST])
        return cls(root, intermediate, host)

    def root_pem(self) -> bytes:
        """Return the root's certificate, as the service's file of trust roots holds it."""
        return self.root.certificate.public_bytes(Encoding.PEM)

    def issue(self, nonce: bytes, app: AndroidApp, now: datetime) -> str:
        """Return the attestation of a genuine phone."""
        return self.sign(self.verdict(nonce, app, now))

    def verdict(self, nonce: bytes, app: AndroidApp, now: datetime) -> dict[str, Any]:
        """Return what SafetyNet says of a genuine phone."""
        return {
            "nonce": b64encode(nonce).decode(),
            "timestampMs": round(now.timestamp() * 1000),
            "apkPackageName": app.package_name,
            "apkDigestSha256": b64encode(bytes(32)).decode(),
            "apkCertificateDigestSha256": [b64encode(app.certificate_digest).decode()],
            "ctsProfileMatch": True,
            "basicIntegrity": True,
            "evaluationType": "BASIC,HARDWARE_BACKED",
        }

    def header(self) -> dict[str, Any]:
        """Return the header that its verdicts have."""
        return {
            "alg": "RS256" if isinstance(self.host.key, rsa.RSAPrivateKey) else "ES256",
            "x5c": [der64(each.certificate) for each in (self.host, self.intermediate)],
        }

    def sign(self, verdict: Mapping[str, Any] | bytes, header: dict[str, Any] | None = None) -> str:
        """Sign a verdict, whatever it says, or bytes that are none."""
        payload = verdict if isinstance(verdict, bytes) else msgspec.json.encode(verdict)
        header = self.header() if header is None else header
        registry = jws.JWSRegistry(algorithms=["RS256", "ES256"])
        registry.max_header_length = _MAX_HEADER_LENGTH
        return jws.serialize_compact(header, payload, _jose_key(self.host.key), registry=registry)


def der64(certificate: x509.Certificate) -> str:
    """Return a certificate as ``x5c`` holds it: DER in base64."""
    return b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _jose_key(key: PrivateKey) -> ECKey | RSAKey:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECKey.import_key(key)
    return RSAKey.import_key(key)
