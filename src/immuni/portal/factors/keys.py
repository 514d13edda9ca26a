"""Keys that lie outside the database: they encrypt the secrets of apps and sign challenges."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.settings import parse_named_secrets, render_named_secrets

KEY_BYTES: Final = 32

_NONCE_BYTES: Final = 12
# One key, two separate uses.
_SEALING: Final = b"immuni portal app secrets"
_SIGNING: Final = b"immuni portal challenges"


class InvalidFactorKeysError(ImmuniError, ValueError):
    """The keys of second factors cannot be used; nothing was encrypted or signed."""


class LostFactorKeyError(ImmuniError, LookupError):
    """A secret cannot be opened: its key is gone, or it was changed or moved."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as the database holds it, with the name of the key that opens it."""

    key_id: str
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FactorKeys:
    """The first key encrypts and signs, all of them decrypt and check.

    Attributes:
        keys: Key id to key of 32 bytes, the current one first.
    """

    keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse to work with nothing, or with a key that can be guessed."""
        if not self.keys:
            raise InvalidFactorKeysError("want at least one key, got none")
        for key_id, key in self.keys.items():
            if len(key) != KEY_BYTES:
                raise InvalidFactorKeysError(
                    f"key {key_id} must have {KEY_BYTES} bytes, got {len(key)}"
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``id:hex`` pairs, separated by commas, the current one first.

        Raises:
            InvalidFactorKeysError: A pair is malformed, an id comes twice, or there is none.
        """
        try:
            secrets = parse_named_secrets(text)
        except ValueError as error:
            raise InvalidFactorKeysError(str(error)) from error
        return cls(secrets)

    def render(self) -> str:
        """Write the keys as `parse` reads them."""
        return render_named_secrets(self.keys)

    @property
    def current_id(self) -> str:
        """Id of the key that encrypts and signs."""
        return next(iter(self.keys))

    def seal(self, secret: bytes, *, account_id: int, entropy: Entropy) -> Sealed:
        """Encrypt a secret of an account, for that account alone.

        Layout:
            ``0..11`` nonce, then AES-256-GCM with the account's number as associated data.
        """
        key = self.keys[self.current_id]
        nonce = entropy.token(_NONCE_BYTES)
        ciphertext = _cipher(key).encrypt(nonce, secret, _owner(account_id))
        return Sealed(self.current_id, nonce + ciphertext)

    def open(self, sealed: Sealed, *, account_id: int) -> bytes:
        """Decrypt a secret.

        Raises:
            LostFactorKeyError: Its key is not among these, or it was changed, or is another
                account's.
        """
        if (key := self.keys.get(sealed.key_id)) is None:
            raise LostFactorKeyError(f"there is no key {sealed.key_id}")
        nonce, ciphertext = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
        try:
            return _cipher(key).decrypt(nonce, ciphertext, _owner(account_id))
        except InvalidTag as error:
            raise LostFactorKeyError("the secret is not this account's, or was changed") from error

    def sign(self, message: bytes) -> bytes:
        """Return 32 bytes that only the holder of the current key can compute."""
        return _signature(self.keys[self.current_id], message)

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Tell whether `sign` made a signature, under any of the keys."""
        return any(
            hmac.compare_digest(_signature(key, message), signature) for key in self.keys.values()
        )


def _owner(account_id: int) -> bytes:
    return b"account %d" % account_id


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(hmac.digest(key, _SEALING, "sha256"))


def _signature(key: bytes, message: bytes) -> bytes:
    return hmac.digest(hmac.digest(key, _SIGNING, "sha256"), message, "sha256")
