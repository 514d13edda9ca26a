"""The internal certification authority, and the two certificates of the OTP Service's mutual TLS.

The OTP Service answers only to clients of this authority; the HIS portal is the one there is.
"""

import ipaddress
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
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from immuni.clock import Clock
from immuni.deployment.private_files import make_private_folder, write_private

# What runs when a certificate is due keeps the old one until it restarts: half a year is enough.
_LIFETIME: Final = timedelta(days=397)
_RENEW_BEFORE_END: Final = timedelta(days=180)
_AUTHORITY_LIFETIME: Final = timedelta(days=3650)
_AUTHORITY_RENEW_BEFORE_END: Final = _LIFETIME + _RENEW_BEFORE_END
_SKEW: Final = timedelta(minutes=5)
_SERVER_NAMES: Final[Sequence[x509.GeneralName]] = (
    x509.DNSName("otp.localhost"),
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
)
_CLIENT_NAMES: Final[Sequence[x509.GeneralName]] = (x509.DNSName("portal.localhost"),)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate and its private key, in PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class InternalCertificates:
    """Where the authority and what it signed lie, once `ensure_certificates` has made them."""

    folder: Path

    @property
    def authority(self) -> CertificateFiles:
        """The authority's own: its certificate is what both sides trust."""
        return self._files("authority")

    @property
    def server(self) -> CertificateFiles:
        """The OTP Service's, for `otp.localhost`, `localhost` and `127.0.0.1`."""
        return self._files("server")

    @property
    def client(self) -> CertificateFiles:
        """The HIS portal's."""
        return self._files("client")

    def _files(self, name: str) -> CertificateFiles:
        return CertificateFiles(self.folder / f"{name}.pem", self.folder / f"{name}.key")


@dataclass(frozen=True, slots=True)
class _Identity:
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

    def is_signed_by(self, authority: "_Identity") -> bool:
        """Whether `authority` issued it."""
        try:
            self.certificate.verify_directly_issued_by(authority.certificate)
        except (InvalidSignature, ValueError, TypeError):
            return False
        return True


def ensure_certificates(folder: Path, *, clock: Clock) -> InternalCertificates:
    """Create what is missing, damaged or soon to end; leave alone what is good.

    Args:
        folder: Readable by its owner only afterwards.
        clock: Says what is soon.

    Returns:
        Where everything lies. A new authority has signed both certificates anew.
    """
    make_private_folder(folder)
    files = InternalCertificates(folder)
    now = clock.now()
    authority = _read(files.authority)
    if authority is None or not authority.is_valid(now, for_another=_AUTHORITY_RENEW_BEFORE_END):
        authority = _issue_authority(now)
        _write(files.authority, authority)
    for place, names, usage in (
        (files.server, _SERVER_NAMES, ExtendedKeyUsageOID.SERVER_AUTH),
        (files.client, _CLIENT_NAMES, ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        identity = _read(place)
        if (
            identity is None
            or not identity.is_valid(now, for_another=_RENEW_BEFORE_END)
            or not identity.is_signed_by(authority)
            or identity.names() != list(names)
        ):
            _write(place, _issue(authority, names, usage, now))
    return files


def _issue_authority(now: datetime) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    # Each authority has a name of its own, or a client would take a new one for the old.
    name = _name(f"Immuni internal authority of {now:%Y-%m-%d %H:%M:%S}")
    builder = (
        _builder(name, name, key.public_key(), now=now, lifetime=_AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return _Identity(builder.sign(key, SHA256()), key)


def _issue(
    authority: _Identity,
    names: Sequence[x509.GeneralName],
    usage: x509.ObjectIdentifier,
    now: datetime,
) -> _Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    builder = (
        _builder(
            _name(str(names[0].value)),
            issuer.subject,
            key.public_key(),
            now=now,
            lifetime=_LIFETIME,
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
    return _Identity(builder.sign(authority.key, SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + lifetime)
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


def _read(files: CertificateFiles) -> _Identity | None:
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
    return _Identity(certificate, key)


def _write(files: CertificateFiles, identity: _Identity) -> None:
    """Keep both; after a crash in between they do not fit, and are made anew."""
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(files.key, key)
    write_private(files.certificate, identity.certificate.public_bytes(Encoding.PEM))
