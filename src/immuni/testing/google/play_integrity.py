"""A stand-in for Play Integrity: verdicts in a JWE around a JWS.

Source:
    Play Integrity API, "Integrity verdicts" and "Decrypt and verify the verdict"; RFC 7515, 7516.
"""

from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

from immuni.entropy import Entropy
from immuni.testing.google.app import AndroidApp

_KEY_LENGTH: Final = 32


class _KeptKeys(msgspec.Struct, frozen=True):
    """Both keys as a file holds them: base64, and PEM."""

    decryption_key: str
    signing_key: str

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


@dataclass(frozen=True, slots=True)
class PlayIntegrityIssuer:
    """Signs verdicts and encrypts them, with keys as an app has them in the Play Console.

    Attributes:
        decryption_key: AES-256; who holds it reads verdicts.
        signing_key: On P-256; the service has its public half.
    """

    decryption_key: bytes = field(repr=False)
    signing_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def make(cls, entropy: Entropy) -> Self:
        """Make new keys."""
        return cls(entropy.token(_KEY_LENGTH), ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def read(cls, private_json: bytes) -> Self:
        """Take up keys again, as `private_json` returned them.

        Raises:
            ValueError: They are none.
        """
        kept = msgspec.json.decode(private_json, type=_KeptKeys)
        signing_key = load_pem_private_key(kept.signing_key.encode(), password=None)
        if not isinstance(signing_key, ec.EllipticCurvePrivateKey):
            raise ValueError("the signing key is not on P-256")  # noqa: TRY004 - the file is wrong
        return cls(b64decode(kept.decryption_key), signing_key)

    def private_json(self) -> bytes:
        """Return both keys, for a file that nobody else can read."""
        pem = self.signing_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        kept = _KeptKeys(b64encode(self.decryption_key).decode(), pem.decode())
        return msgspec.json.encode(kept)

    def keys_setting(self) -> str:
        """Return the service's setting that makes it believe these verdicts."""
        public = self.signing_key.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"{b64encode(self.decryption_key).decode()}:{b64encode(der).decode()}"

    def issue(self, nonce: bytes, app: AndroidApp, now: datetime) -> str:
        """Return the attestation of a genuine phone."""
        return self.encrypt(self.sign(self.verdict(nonce, app, now)))

    def verdict(self, nonce: bytes, app: AndroidApp, now: datetime) -> dict[str, Any]:
        """Return what Play Integrity says of a genuine phone."""
        return {
            "requestDetails": {
                "requestPackageName": app.package_name,
                "nonce": urlsafe_b64encode(nonce).decode(),
                "timestampMillis": str(round(now.timestamp() * 1000)),
            },
            "appIntegrity": {
                "appRecognitionVerdict": "PLAY_RECOGNIZED",
                "packageName": app.package_name,
                "certificateSha256Digest": [_unpadded(app.certificate_digest)],
                "versionCode": "7",
            },
            "deviceIntegrity": {
                "deviceRecognitionVerdict": [
                    "MEETS_BASIC_INTEGRITY",
                    "MEETS_DEVICE_INTEGRITY",
                    "MEETS_STRONG_INTEGRITY",
                ]
            },
            "accountDetails": {"appLicensingVerdict": "UNEVALUATED"},
        }

    def sign(self, verdict: Mapping[str, Any] | bytes) -> str:
        """Sign a verdict, whatever it says, or bytes that are none."""
        payload = verdict if isinstance(verdict, bytes) else msgspec.json.encode(verdict)
        key = ECKey.import_key(self.signing_key)
        return jws.serialize_compact({"alg": "ES256"}, payload, key, algorithms=["ES256"])

    def encrypt(self, signed: str | bytes, header: dict[str, Any] | None = None) -> str:
        """Encrypt a signed verdict, or anything else."""
        header = header or {"alg": "A256KW", "enc": "A256GCM"}
        key = OctKey.import_key(self.decryption_key)
        return jwe.encrypt_compact(header, signed, key, algorithms=[*header.values()])


def _unpadded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
