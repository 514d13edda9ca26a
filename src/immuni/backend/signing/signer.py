"""What a signer is, and what every signer owes: a signature that verifies."""

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from immuni.errors import ImmuniError


class SigningKeyError(ImmuniError, ValueError):
    """A key cannot be used as it is described; nothing was signed or written."""


class SigningFailedError(ImmuniError, RuntimeError):
    """Whoever holds the key did not sign, or signed wrongly; nothing was signed."""


class Signer(Protocol):
    """Something that signs with ECDSA on P-256 and SHA-256."""

    @property
    def key_id(self) -> str:
        """Name under which verifiers know the key."""
        ...

    @property
    def key_version(self) -> str:
        """Version of the key, counted up at each rotation."""
        ...

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that verifies the signatures."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the X9.62 DER signature over `data`.

        Raises:
            SigningFailedError: There is none, or it does not verify.
        """
        ...


def verified(signature: bytes, data: bytes, public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Return `signature` if it verifies: a fault of the machine or the key must not be published.

    Raises:
        SigningFailedError: It does not.
    """
    try:
        public_key.verify(signature, data, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise SigningFailedError("the signature does not verify with the key's own half") from error
    return signature


def public_pem(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key in the form in which verifiers pin it."""
    return public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def read_public_key(pem: bytes) -> ec.EllipticCurvePublicKey:
    """Read a public key on P-256.

    Raises:
        SigningKeyError: `pem` holds none.
    """
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError as error:
        raise SigningKeyError("want a public key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningKeyError("want a public key on P-256")
    return key
