"""Keyed hashes of one-time passwords: what the OTP and the ingestion service both compute."""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NewType, Self

from immuni.errors import ImmuniError
from immuni.otp import OtpHash
from immuni.settings import (
    Kind,
    parse_named_secrets,
    render_named_secrets,
    setting,
)

KeyedHash = NewType("KeyedHash", bytes)
"""HMAC-SHA256 of a code's hash: the only form in which a code is stored."""

MIN_SECRET_BYTES: Final = 32

# No message is 32 bytes long, as the hash of a code is: one secret, three separate uses.
_REQUEST_LABEL: Final = b"immuni otp request\x00"
_KEYS_LABEL: Final = b"immuni uploaded keys\x00"


class InvalidOtpKeysError(ImmuniError, ValueError):
    """The secrets for hashing codes cannot be used; nothing was hashed."""


@dataclass(frozen=True, slots=True)
class OtpKeys:
    """The server's secrets for hashing codes: the first makes hashes, all of them find codes.

    A secret is replaced in three steps, each in every process of both services before the next: the
    new one is put behind the old one, then in front of it, and the old one is removed once the last
    code that was hashed with it has expired. In front at once, it would make codes that a process
    which knows the old one only does not find.

    Attributes:
        secrets: Key id to secret of at least 32 bytes, the current one first.

    Privacy:
        Whoever holds a secret and the table can search the 25^9 codes in minutes.
    """

    secrets: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse to hash with nothing, or with a secret that can be guessed."""
        if not self.secrets:
            raise InvalidOtpKeysError("hashing codes needs at least one secret, got none")
        for key_id, secret in self.secrets.items():
            if len(secret) < MIN_SECRET_BYTES:
                raise InvalidOtpKeysError(
                    f"secret {key_id} must have {MIN_SECRET_BYTES} bytes or more, got {len(secret)}"
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``id:hex`` pairs, separated by commas, the current one first.

        Raises:
            InvalidOtpKeysError: A pair is malformed, an id comes twice, or there is none.
        """
        try:
            secrets = parse_named_secrets(text)
        except ValueError as error:
            raise InvalidOtpKeysError(str(error)) from error
        return cls(secrets)

    def render(self) -> str:
        """Write the secrets as `parse` reads them."""
        return render_named_secrets(self.secrets)

    @property
    def current_id(self) -> str:
        """Id of the secret that makes new hashes."""
        return next(iter(self.secrets))

    def keyed(self, otp: OtpHash) -> list[KeyedHash]:
        """Return the hash under every secret, the current one first."""
        digest = bytes.fromhex(otp)
        return [KeyedHash(_hmac(secret, digest)) for secret in self.secrets.values()]

    def request_digest(
        self, key_id: str, request_id: str, *, onset_on: date | None, tested_on: date | None
    ) -> bytes:
        """Return what tells a repeated authorisation from another one for the same code.

        Raises:
            InvalidOtpKeysError: `key_id` is not one of these secrets.
        """
        dates = "|".join(day.isoformat() if day else "" for day in (onset_on, tested_on))
        return _hmac(self._secret(key_id), _REQUEST_LABEL + f"{dates}|{request_id}".encode())

    def upload_digest(self, key_id: str, keys: Iterable[bytes]) -> bytes:
        """Return what tells a repeated upload from another one, whatever the order of its keys.

        Raises:
            InvalidOtpKeysError: `key_id` is not one of these secrets.
        """
        return _hmac(self._secret(key_id), _KEYS_LABEL + b"".join(sorted(keys)))

    def _secret(self, key_id: str) -> bytes:
        if key_id not in self.secrets:
            raise InvalidOtpKeysError(f"no secret {key_id}")
        return self.secrets[key_id]


def _hmac(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, "sha256")


def _parse_setting(text: str) -> OtpKeys | None:
    return OtpKeys.parse(text) if text else None


OTP_KEYS: Final[Kind[OtpKeys | None]] = Kind(
    _parse_setting,
    "pairs id:secret, separated by commas, the current one first, secrets of 32 bytes or more "
    "in hexadecimal",
    lambda keys: keys.render() if keys else "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpKeySettings:
    """Secrets that the OTP and the ingestion service share."""

    otp_keys: OtpKeys | None = setting(
        OTP_KEYS,
        default=None,
        secret=True,
        meaning="Secrets under which codes are hashed; made on the first start where none is set.",
    )
