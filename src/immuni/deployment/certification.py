"""Making and keeping certificates: an authority, and what it signs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from immuni.deployment.private_files import write_private

LIFETIME: Final = timedelta(days=397)
"""How long a certificate of a server or a client is valid."""
_AUTHORITY_LIFETIME: Final = timedelta(days=3650)
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate and its private key, in PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with the private key that it speaks for."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def is_valid(self, now: datetime, *, for_another: timedelta) -> bool:
        """Whether it is valid by now, and still is after that time."""
        certificate = self.certificate
        # A machine whose clock was ahead may have made one that is not valid yet.
        return (
            certificate.not_valid_before_utc <= now
            and now + for_another <= certificate.not_valid_after_utc
        )

    def names(self) -> list[x509.GeneralName]:
        """Return whom it is for."""
        try:
            extensions = self.certificate.extensions
            return list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            return []

    def is_signed_by(self, authority: "Identity") -> bool:
        """Whether `authority` issued it."""
        try:
            self.certificate.verify_directly_issued_by(authority.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def issue_authority(now: datetime) -> Identity:
    """Return a new authority; its certificate is signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Each authority has a name of its own, or a client would take a new one for the old.
    name = _name(f"Immuni internal authority of {now:%Y-%m-%d %H:%M:%S}")
    builder = (
        _builder(name, name, key.public_key(), now=now, end=now + _AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return Identity(builder.sign(key, SHA256()), key)


def issue(
    authority: Identity,
    names: Sequence[x509.GeneralName],
    usage: x509.ObjectIdentifier,
    now: datetime,
) -> Identity:
    """Return a new certificate, and its key, that `authority` signed.

    Args:
        authority: Who signs; the certificate ends when it does, at the latest.
        names: Whom it is for, the first of them in its subject.
        usage: Server or client; it does not pass for the other.
        now: It is valid from five minutes before.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    builder = (
        _builder(
            _name(str(names[0].value)),
            issuer.subject,
            key.public_key(),
            now=now,
            # What outlives its issuer is refused all the same.
            end=min(now + LIFETIME, issuer.not_valid_after_utc),
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    return Identity(builder.sign(authority.key, SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def read_identity(files: CertificateFiles) -> Identity | None:
    """Return what lies there, or None when it is missing, damaged, or the two do not fit."""
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = load_pem_private_key(files.key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    if key.public_key() != certificate.public_key():
        return None
    return Identity(certificate, key)


def write_identity(files: CertificateFiles, identity: Identity) -> None:
    """Keep both; after a crash in between they do not fit, and are made anew."""
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(files.key, key)
    write_private(files.certificate, identity.certificate.public_bytes(Encoding.PEM))
