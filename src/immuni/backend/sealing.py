"""Sealing to a key that the one who seals cannot open.

Ingestion seals Epidemiological Info to the analytics key and cannot read it again; only the
analytics side holds the other half.

Source:
    RFC 9180, Hybrid Public Key Encryption, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
    AES-256-GCM.
"""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from immuni.backend.signing import SigningKeyError, read_private_file, write_private_file
from immuni.errors import ImmuniError

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_LENGTH: Final = struct.Struct(">I")
_BLOCK: Final = 8192
"""Sealed contents are filled up to a multiple of this, so that their size says little."""


class UnsealableError(ImmuniError, ValueError):
    """A sealed content cannot be opened: wrong key, wrong purpose, or damaged."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A content that only the holder of the key `key_id` can read."""

    key_id: str
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The public half: seals."""

    key_id: str
    _public_key: X25519PublicKey = field(repr=False)

    @classmethod
    def read(cls, path: Path, *, key_id: str) -> Self:
        """Read the public key in the PEM file `path`.

        Raises:
            SigningKeyError: The file cannot be read or holds no X25519 public key.
        """
        try:
            key = serialization.load_pem_public_key(path.read_bytes())
        except OSError as error:
            raise SigningKeyError(f"{path}: {error.strerror}") from error
        except ValueError as error:
            raise SigningKeyError(f"{path}: no public key") from error
        if not isinstance(key, X25519PublicKey):
            raise SigningKeyError(f"{path}: want an X25519 key")
        return cls(key_id, key)

    def seal(self, content: bytes, *, purpose: str) -> Sealed:
        """Seal `content`; it opens for the same `purpose` only.

        Layout:
            Plaintext: 0..3 length of the content, big-endian; the content; zeros up to a multiple
            of 8192 bytes. Info: the purpose in UTF-8.
        """
        framed = _LENGTH.pack(len(content)) + content
        padded = framed + bytes(-len(framed) % _BLOCK)
        return Sealed(self.key_id, _SUITE.encrypt(padded, self._public_key, info=purpose.encode()))


@dataclass(frozen=True, slots=True)
class OpeningKey:
    """The private half: opens."""

    key_id: str
    _private_key: X25519PrivateKey = field(repr=False)

    @classmethod
    def read(cls, path: Path, *, key_id: str, password: bytes | None = None) -> Self:
        """Read the private key in the PEM file `path`.

        Raises:
            SigningKeyError: The file cannot be read or decrypted, holds no X25519 key, or is not
                encrypted and open to others than its owner.
        """
        pem = read_private_file(path)
        try:
            key = serialization.load_pem_private_key(pem, password)
        except (ValueError, TypeError) as error:
            raise SigningKeyError(f"{path}: no key that this password opens") from error
        if not isinstance(key, X25519PrivateKey):
            raise SigningKeyError(f"{path}: want an X25519 key")
        return cls(key_id, key)

    def open(self, sealed: Sealed, *, purpose: str) -> bytes:
        """Return what was sealed.

        Raises:
            UnsealableError: It was sealed to another key or for another purpose, or is damaged.
        """
        if sealed.key_id != self.key_id:
            raise UnsealableError("the content was sealed to another key")
        try:
            padded = _SUITE.decrypt(sealed.ciphertext, self._private_key, info=purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise UnsealableError("the content does not open: damaged, or not ours") from error
        (length,) = _LENGTH.unpack_from(padded)
        return padded[_LENGTH.size : _LENGTH.size + length]


def create_sealing_key(private_path: Path, public_path: Path) -> None:
    """Make a pair of keys: the private one readable by its owner only, the public one for sealers.

    Raises:
        SigningKeyError: The private file exists already, or cannot be written.
    """
    key = X25519PrivateKey.generate()
    private_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    if private_path.exists():
        raise SigningKeyError(f"{private_path}: exists already")
    # The public half first: a crash in between leaves no key, and the next attempt makes both.
    public_path.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    write_private_file(private_path, private_pem)
