"""Keys in files of this machine, and how such files are kept."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from immuni.backend.signing.signer import SigningKeyError, public_pem, verified

_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class LocalKeySigner:
    """A signer whose private key lies in a file of this machine."""

    key_id: str
    key_version: str
    _private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def read(
        cls, path: Path, *, key_id: str, key_version: str = "v1", password: bytes | None = None
    ) -> Self:
        """Read the key in the PEM file `path`.

        Raises:
            SigningKeyError: The file cannot be read or decrypted, holds no P-256 key, or is not
                encrypted and open to others than its owner.
        """
        return cls(key_id, key_version, _read_private_key(path, password))

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that verifies the signatures."""
        return self._private_key.public_key()

    def public_pem(self) -> bytes:
        """Return the public key in the form in which verifiers pin it."""
        return public_pem(self.public_key)

    def sign(self, data: bytes) -> bytes:
        """Return the X9.62 DER signature over `data`.

        Raises:
            SigningFailedError: It does not verify: the machine computes wrongly.
        """
        return verified(self._private_key.sign(data, ec.ECDSA(SHA256())), data, self.public_key)


def create_signing_key(path: Path, *, password: bytes | None = None) -> None:
    """Make a key and write it to `path`, readable by its owner only.

    Args:
        path: File to make; its folder must exist.
        password: Encrypts the file; None leaves it to the file's mode alone.

    Raises:
        SigningKeyError: The file exists already, or cannot be written.
    """
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    # The generator of the cryptographic library, which no caller should be able to replace.
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    write_private_file(path, pem)


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file that did not exist, readable by its owner only, and make it durable.

    Raises:
        SigningKeyError: The file exists already, or cannot be written.
    """
    # Written beside and linked into place: a crash leaves the whole file or none, never a piece.
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(beside)
        beside.unlink()
    except OSError as error:
        raise SigningKeyError(f"{path}: {error.strerror}") from error


def read_private_file(path: Path) -> bytes:
    """Return a secret file's content, if nobody but its owner can read it.

    Raises:
        SigningKeyError: It cannot be read, or is open to others.
    """
    try:
        content, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise SigningKeyError(f"{path}: {error.strerror}") from error
    if mode & _OPEN_TO_OTHERS and b"ENCRYPTED" not in content:
        raise SigningKeyError(f"{path}: open to others, want mode 0600 or an encrypted key")
    return content


def _read_private_key(path: Path, password: bytes | None) -> ec.EllipticCurvePrivateKey:
    pem = read_private_file(path)
    try:
        key = serialization.load_pem_private_key(pem, password)
    except (ValueError, TypeError) as error:
        raise SigningKeyError(f"{path}: no key that this password opens") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningKeyError(f"{path}: want an elliptic curve key on P-256")
    return key
