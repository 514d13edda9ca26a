"""The signature over an answer of ``GET /v1/settings``.

Three headers travel with the body::

    Immuni-Settings-Version: 12
    Immuni-Issued-At: 1592265600
    Immuni-Signature: settings-1:MEUCIQ…

`Immuni-Settings-Version` is the version of the published set, `Immuni-Issued-At` whole seconds
since the Unix epoch, `Immuni-Signature` the key's id and the base64 of an X9.62 DER signature,
ECDSA on P-256 with SHA-256. What is signed is `SettingsStamp.signed_bytes`.

All of it stands in one answer, so a cache cannot pair a body with another one's signature, and the
time and the version let a phone refuse an answer that is older than the one it has.
"""

import hashlib
import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from immuni.api.headers import SETTINGS_ISSUED_AT, SETTINGS_SIGNATURE, SETTINGS_VERSION
from immuni.errors import ImmuniError

_CONTEXT: Final = "Immuni settings signature v1"
_SIGNATURE: Final = re.compile(r"([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/]{1,200}={0,2})")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")


class Platform(StrEnum):
    """The kind of phone, as the settings query and analytics name it."""

    IOS = "ios"
    ANDROID = "android"


class SettingsRefusedError(ImmuniError, ValueError):
    """An answer with settings is forged, damaged or stale; the settings in force stay."""


@dataclass(frozen=True, slots=True)
class SettingsStamp:
    """Everything that the signature binds together.

    Attributes:
        platform: Platform that was asked for.
        build: Build that was asked for.
        version: Number of the published set; a later set has a higher one.
        issued_at: When the answer was signed, in whole seconds.
        body_sha256: SHA-256 of the body, 32 bytes.
    """

    platform: Platform
    build: int
    version: int
    issued_at: datetime
    body_sha256: bytes

    @classmethod
    def of(
        cls, body: bytes, *, platform: Platform, build: int, version: int, issued_at: datetime
    ) -> Self:
        """Return the stamp of `body`; `issued_at` loses its fraction of a second."""
        whole = datetime.fromtimestamp(int(issued_at.timestamp()), UTC)
        return cls(platform, build, version, whole, hashlib.sha256(body).digest())

    def signed_bytes(self) -> bytes:
        r"""Return the bytes that are signed.

        Layout:
            ASCII, six lines, each ended by ``\n`` (the last too): ``Immuni settings signature v1``;
            platform (``ios`` or ``android``); build; version; issue time in whole Unix seconds;
            SHA-256 of the body in lower-case hexadecimal. Numbers are decimal without leading
            zeros.
        """
        lines = (
            _CONTEXT,
            self.platform.value,
            str(self.build),
            str(self.version),
            str(int(self.issued_at.timestamp())),
            self.body_sha256.hex(),
        )
        return "".join(f"{line}\n" for line in lines).encode("ascii")

    def headers(self, key_id: str, signature: bytes) -> dict[str, str]:
        """Return the three headers for `signature`, made with the key `key_id`."""
        return {
            SETTINGS_VERSION: str(self.version),
            SETTINGS_ISSUED_AT: str(int(self.issued_at.timestamp())),
            SETTINGS_SIGNATURE: f"{key_id}:{b2a_base64(signature, newline=False).decode('ascii')}",
        }


def verify_settings(
    body: bytes,
    headers: Mapping[str, str],
    keys: Mapping[str, ec.EllipticCurvePublicKey],
    *,
    platform: Platform,
    build: int,
    newest: SettingsStamp | None = None,
) -> SettingsStamp:
    """Check that `body` was signed for this platform and build, and is not older than `newest`.

    Args:
        body: The answer's body, as received.
        headers: The answer's headers; looked up by the names in `immuni.api.headers`, so the
            mapping should ignore case.
        keys: Pinned public keys by their id.
        platform: Platform that was asked for.
        build: Build that was asked for.
        newest: Stamp of the settings in force, None when there are none yet.

    Returns:
        The stamp, to be kept beside the settings and handed in as `newest` next time.

    Raises:
        SettingsRefusedError: A header is missing or malformed, the key is unknown, the signature
            does not match, or the answer is older than `newest`. Discard the answer.
    """
    match = _SIGNATURE.fullmatch(headers.get(SETTINGS_SIGNATURE, ""))
    if match is None:
        raise SettingsRefusedError(f"{SETTINGS_SIGNATURE} is missing or malformed")
    key = keys.get(match[1])
    if key is None:
        raise SettingsRefusedError("settings are signed with a key that is not pinned")
    stamp = SettingsStamp.of(
        body,
        platform=platform,
        build=build,
        version=_number(headers, SETTINGS_VERSION),
        issued_at=datetime.fromtimestamp(_number(headers, SETTINGS_ISSUED_AT), UTC),
    )
    _verify(key, match[2], stamp)
    if newest is not None and (stamp.version, stamp.issued_at) < (newest.version, newest.issued_at):
        raise SettingsRefusedError("settings are older than those in force")
    return stamp


def _verify(key: ec.EllipticCurvePublicKey, signature: str, stamp: SettingsStamp) -> None:
    try:
        key.verify(
            a2b_base64(signature, strict_mode=True), stamp.signed_bytes(), ec.ECDSA(SHA256())
        )
    except (InvalidSignature, BinasciiError) as error:
        raise SettingsRefusedError("settings are not signed by the pinned key") from error


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if _NUMBER.fullmatch(text) is None:
        raise SettingsRefusedError(f"{name} is missing or malformed")
    return int(text)
