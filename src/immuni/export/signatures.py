"""Who signed a TEK Chunk: ``export.sig``, verification keys, signers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf.message import DecodeError

from immuni.export.errors import (
    ExportFieldError,
    InvalidVerificationKeyError,
    MalformedSignatureError,
    SignatureMismatchError,
)
from immuni.export.model import ECDSA_P256_SHA256, SignatureInfo
from immuni.export.proto import export_pb2

MAX_SIGNATURES: Final = 32
"""Limit of signatures in one file; a rotation of keys needs two."""
# Each signature is checked against each key, so a file must not be able to ask for thousands.
_PREHASHED: Final = ECDSA(Prehashed(SHA256()))


class ExportSigner(Protocol):
    """Something that holds a private key: a file, a security module, a signing service."""

    @property
    def key_id(self) -> str:
        """The id that the file shall name, such as ``222``."""
        ...

    @property
    def key_version(self) -> str:
        """The version that the file shall name, such as ``v1``."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign `data` with ECDSA, P-256 and SHA-256; return X9.62 DER."""
        ...


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key that is trusted to sign TEK Chunks.

    Attributes:
        key_id: The id that the signature must name; None where a person checks with a key in hand.
        key_version: The version that it must name, or None.
        public_key: On the curve P-256.

    Raises:
        InvalidVerificationKeyError: `public_key` is on another curve.
    """

    key_id: str | None
    key_version: str | None
    public_key: EllipticCurvePublicKey

    def __post_init__(self) -> None:
        """Check the curve."""
        if not isinstance(self.public_key.curve, SECP256R1):
            raise InvalidVerificationKeyError(
                f"the key must be on the curve P-256, it is on {self.public_key.curve.name}"
            )

    @classmethod
    def from_pem(
        cls, pem: bytes, *, key_id: str | None = None, key_version: str | None = None
    ) -> Self:
        """Read a public key as SubjectPublicKeyInfo in PEM.

        Raises:
            InvalidVerificationKeyError: `pem` holds no public key on the curve P-256.
        """
        try:
            public_key = load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise InvalidVerificationKeyError("this is not a public key in PEM") from error
        if not isinstance(public_key, EllipticCurvePublicKey):
            raise InvalidVerificationKeyError("the key must be an elliptic curve key on P-256")
        return cls(key_id, key_version, public_key)

    def is_named_by(self, info: SignatureInfo) -> bool:
        """Tell whether a signature with `info` claims to be of this key."""
        return (
            self.key_id in (None, info.verification_key_id)
            and self.key_version in (None, info.verification_key_version)
            # Files of other systems may leave the algorithm out: there is only one.
            and info.signature_algorithm in ("", ECDSA_P256_SHA256)
        )


@dataclass(frozen=True, slots=True)
class Signature:
    """One entry of ``export.sig``: a claim until it is verified."""

    info: SignatureInfo
    der: bytes


def parse_signatures(export_sig: bytes) -> tuple[Signature, ...]:
    """Read the entries of ``export.sig``.

    Raises:
        MalformedSignatureError: It is not the protobuf that it should be, or holds too many.
    """
    try:
        message = export_pb2.TEKSignatureList.FromString(export_sig)
        if len(message.signatures) > MAX_SIGNATURES:
            raise MalformedSignatureError(
                f"export.sig may hold {MAX_SIGNATURES} signatures, it has {len(message.signatures)}"
            )
        return tuple(
            Signature(info_of(entry.signature_info), entry.signature)
            for entry in message.signatures
        )
    except DecodeError as error:
        raise MalformedSignatureError("export.sig is not a protobuf TEKSignatureList") from error
    except ExportFieldError as error:
        raise MalformedSignatureError(f"export.sig: {error}") from error


def verify_signatures(
    export_bin: bytes, signatures: Iterable[Signature], keys: Sequence[VerificationKey]
) -> SignatureInfo:
    """Check that one of `keys` signed all of `export_bin`, header included.

    Returns:
        What the signature that was found good says about itself.

    Raises:
        SignatureMismatchError: None did; the file must be discarded.
    """
    digest = sha256(export_bin).digest()
    for signature in signatures:
        for key in keys:
            if key.is_named_by(signature.info) and _is_good(signature.der, digest, key):
                return signature.info
    raise SignatureMismatchError("export.bin is not signed by a trusted key")


def info_of(message: export_pb2.SignatureInfo) -> SignatureInfo:
    """Return the value that `message` stands for.

    Raises:
        ExportFieldError: A text is too long, not printable or not UTF-8.
    """
    return SignatureInfo(
        verification_key_id=message.verification_key_id,
        verification_key_version=message.verification_key_version,
        signature_algorithm=message.signature_algorithm,
        app_bundle_id=message.app_bundle_id,
        android_package=message.android_package,
    )


def _is_good(der: bytes, digest: bytes, key: VerificationKey) -> bool:
    try:
        key.public_key.verify(der, digest, _PREHASHED)
    except InvalidSignature:
        return False
    return True
