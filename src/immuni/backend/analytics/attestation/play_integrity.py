"""Play Integrity: a verdict in a JWS, within a JWE.

Source:
    Analytics, "Android: attestation"; Play Integrity API, "Integrity verdicts"; RFC 7515, 7516.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey
from msgspec import UNSET, Meta, UnsetType

from immuni.backend.analytics.attestation.play_integrity_keys import PlayIntegrityKeys
from immuni.backend.analytics.attestation.reading import from_base64url, parse
from immuni.backend.analytics.attestation.rules import (
    AcceptedApp,
    AttestationRefusedError,
    DeviceVerdict,
    Refusal,
    is_timely,
    require,
)
from immuni.backend.analytics.attestation.signed import Header, read_header, signed_payload

_RECOGNISED: Final = "PLAY_RECOGNIZED"
_REGISTRY: Final = jwe.JWERegistry(algorithms=["A256KW", "A256GCM"])


class _OuterHeader(Header, frozen=True, kw_only=True):
    alg: Literal["A256KW"]
    enc: Literal["A256GCM"]


class _InnerHeader(Header, frozen=True, kw_only=True):
    alg: Literal["ES256"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a verdict; members that are not asked for are ignored."""


class _RequestDetails(_Part, frozen=True, kw_only=True):
    request_package_name: str
    nonce: str
    # JSON of Google's writes integers of 64 bits as texts.
    timestamp_millis: int | Annotated[str, Meta(pattern=r"^[0-9]{1,16}$(?!\n)")]


class _AppIntegrity(_Part, frozen=True, kw_only=True):
    # Of an app that was not looked at, nothing else is told.
    app_recognition_verdict: str
    package_name: str = ""
    certificate_sha256_digest: list[str] = []


class _DeviceIntegrity(_Part, frozen=True, kw_only=True):
    device_recognition_verdict: list[str] = []


class Verdict(_Part, frozen=True, kw_only=True):
    """What Play Integrity says.

    Attributes:
        testing_details: Stands in answers that somebody ordered in the Play Console.
    """

    request_details: _RequestDetails
    app_integrity: _AppIntegrity
    device_integrity: _DeviceIntegrity
    testing_details: Any | UnsetType = UNSET


class PlayIntegrity:
    """Verifies Play Integrity's attestations."""

    def __init__(
        self, keys: Sequence[PlayIntegrityKeys], app: AcceptedApp, device: DeviceVerdict
    ) -> None:
        """Accept what is under these keys.

        Args:
            keys: Those of the Play Console; while they are exchanged, the old and the new.
            app: Of which phones.
            device: What must be said of a device at least.
        """
        # Both keys of a pair go together: neither opens or proves anything with another's.
        self._keys = [
            (OctKey.import_key(each.decryption_key), ECKey.import_key(each.verification_key))
            for each in keys
        ]
        self._app = app
        self._device = device

    def verify(self, token: str, *, nonce: bytes, now: datetime) -> None:
        """Make sure that a genuine phone made this report, now.

        Args:
            token: A JWE in compact serialisation, at most as long as the API allows.
            nonce: What must have been attested.
            now: The server's time.

        Raises:
            AttestationRefusedError: It does not vouch for the report.
        """
        verdict = self._signed_verdict(token)
        request, app = verdict.request_details, verdict.app_integrity
        require(is_timely(int(request.timestamp_millis), now), Refusal.TIME)
        require(_bytes(request.nonce) == nonce, Refusal.NONCE)
        digests = [_bytes(each) for each in app.certificate_sha256_digest]
        require(app.app_recognition_verdict == _RECOGNISED, Refusal.APP)
        require(self._app.is_named(request.request_package_name, app.package_name), Refusal.APP)
        require(self._app.is_signed_with(digests), Refusal.APP)
        device = verdict.device_integrity.device_recognition_verdict
        require(self._device in device, Refusal.DEVICE)
        require(verdict.testing_details is UNSET, Refusal.DEVICE)

    def _signed_verdict(self, token: str) -> Verdict:
        read_header(_OuterHeader, token)
        signed, verification_key = self._decrypted(token)
        read_header(_InnerHeader, signed)
        return parse(Verdict, signed_payload(signed, verification_key))

    def _decrypted(self, token: str) -> tuple[str, ECKey]:
        """Return what is in the token, and by whose signature it must be proved."""
        for decryption_key, verification_key in self._keys:
            try:
                opened = jwe.decrypt_compact(token, decryption_key, registry=_REGISTRY)
            except (JoseError, ValueError):
                continue
            # Every byte is a letter here: what is not of the token's alphabet is refused with it.
            return (opened.plaintext or b"").decode("latin-1"), verification_key
        raise AttestationRefusedError(Refusal.DECRYPTION)


def _bytes(text: str) -> bytes:
    """Decode 32 bytes, whose one sign of padding some write and some leave out."""
    return from_base64url(text.removesuffix("="))
