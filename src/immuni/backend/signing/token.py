"""Keys inside a PKCS#11 token: a hardware security module, or SoftHSM.

Source:
    PKCS #11 v2.40, "Elliptic Curve Mechanisms": CKM_ECDSA.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from immuni.backend.signing.local import read_private_file
from immuni.backend.signing.signer import SigningFailedError, SigningKeyError, verified

_HALF: Final = 32
_ONE_AT_A_TIME: Final = threading.Lock()
"""A login belongs to the whole process, not to a session: two threads would log each other out."""
_REFUSED: Final[set[tuple[str, str]]] = set()
"""Tokens and PINs that do not fit, in this process: a token locks after a few wrong tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """Where a key lies.

    Attributes:
        module: The token's library.
        token: The token's label.
        label: The label of the pair of keys in the token.
        pin_file: A file that only its owner can read, with the user's PIN.
    """

    module: Path
    token: str
    label: str
    pin_file: Path

    @contextmanager
    def session(self, *, writes: bool = False) -> Iterator[pkcs11.Session]:
        """Log in.

        A session for each use: one that the token has lost meanwhile cannot be in the way.

        Raises:
            SigningKeyError: The PIN cannot be read.
            SigningFailedError: The token is away, refuses the PIN, or fails.
        """
        pin = read_private_file(self.pin_file).decode().strip()
        with _ONE_AT_A_TIME:
            if (self.token, pin) in _REFUSED:
                raise SigningFailedError(f"token {self.token}: it has refused this PIN before")
            try:
                token = pkcs11.lib(str(self.module)).get_token(token_label=self.token)
                with token.open(rw=writes, user_pin=pin) as session:
                    yield session
            except (pkcs11.PKCS11Error, RuntimeError) as error:
                if isinstance(error, pkcs11.PinIncorrect):
                    _REFUSED.add((self.token, pin))
                # The error's text comes from the library: its kind says enough and no secret.
                raise SigningFailedError(
                    f"token {self.token}, key {self.label}: {_meaning(error)}"
                ) from None


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A signer whose private key never leaves its token."""

    key_id: str
    key_version: str
    public_key: ec.EllipticCurvePublicKey = field(repr=False)
    key: TokenKey

    @classmethod
    def create(cls, key: TokenKey, *, key_id: str, key_version: str) -> Self:
        """Generate a pair of keys inside the token.

        Raises:
            SigningKeyError: The token holds a key of that label already.
            SigningFailedError: The token is away, refuses the PIN, or fails.
        """
        with key.session(writes=True) as session:
            if any(True for _ in session.get_objects({pkcs11.Attribute.LABEL: key.label})):
                raise SigningKeyError(f"token {key.token}: a key {key.label} exists already")
            parameters = session.create_domain_parameters(
                pkcs11.KeyType.EC,
                {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
                local=True,
            )
            public, _private = parameters.generate_keypair(store=True, label=key.label)
            der = encode_ec_public_key(public)
        found = load_der_public_key(der)
        if not isinstance(found, ec.EllipticCurvePublicKey):
            raise SigningFailedError(f"token {key.token}: made no elliptic curve key")
        return cls(key_id, key_version, found, key)

    def sign(self, data: bytes) -> bytes:
        """Return the X9.62 DER signature over `data`; the token sees its digest only.

        Layout:
            The token answers r and s, 32 bytes each, big-endian.

        Raises:
            SigningKeyError: The PIN cannot be read.
            SigningFailedError: The token is away, refuses the PIN, holds no such key, or signed
                with another one.
        """
        digest = hashlib.sha256(data).digest()
        with self.key.session() as session:
            private = session.get_key(
                object_class=pkcs11.ObjectClass.PRIVATE_KEY,
                key_type=pkcs11.KeyType.EC,
                label=self.key.label,
            )
            if not isinstance(private, SignMixin):
                raise SigningFailedError(f"token {self.key.token}: {self.key.label} cannot sign")
            raw = bytes(private.sign(digest, mechanism=pkcs11.Mechanism.ECDSA))
        r, s = int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big")
        return verified(encode_dss_signature(r, s), data, self.public_key)


def _meaning(error: Exception) -> str:
    match error:
        case pkcs11.PinIncorrect() | pkcs11.PinLenRange() | pkcs11.PinInvalid():
            return "the token refuses the PIN; another try may lock it"
        case pkcs11.PinLocked():
            return "the PIN is locked"
        case pkcs11.NoSuchToken() | pkcs11.TokenNotPresent() | pkcs11.DeviceRemoved():
            return "there is no such token"
        case pkcs11.NoSuchKey():
            return "the token holds no such key"
        case _:
            return f"the token failed ({type(error).__name__})"


def token_key(place: Mapping[str, str], folder: Path) -> TokenKey:
    """Return what the inventory says about a key in a token."""
    return TokenKey(
        module=Path(place["module"]),
        token=place["token"],
        label=place["label"],
        pin_file=folder / place["pin_file"],
    )
