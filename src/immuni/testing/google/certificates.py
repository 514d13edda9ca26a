"""Certificates of a stand-in's own authority, in whatever shape a test wants them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with the private key that it speaks for."""

    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True, slots=True)
class Validity:
    """When a certificate is valid, both ends included."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, now: datetime, *, by: timedelta = timedelta(days=3650)) -> Self:
        """Return the time from `by` before to `by` after."""
        return cls(now - by, now + by)


def issue(
    subject: str,
    *,
    issuer: Identity | None,
    validity: Validity,
    key: PrivateKey | None = None,
    hosts: Sequence[str] = (),
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    is_authority: bool = False,
    constrained_to: Sequence[str] = (),
) -> Identity:
    """Return a certificate, with a new key where none is given.

    Args:
        subject: The name that it is for.
        issuer: Who signs; itself where there is none.
        validity: When it is valid.
        key: What it speaks for.
        hosts: The names that it is for.
        usage: What it is for where it has hosts.
        is_authority: Whether it may sign others.
        constrained_to: The domains for which an authority may sign, all where there is none.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    name = _name(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.start)
        .not_valid_after(validity.end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=is_authority), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if constrained_to:
        domains = [x509.DNSName(each) for each in constrained_to]
        builder = builder.add_extension(x509.NameConstraints(domains, None), critical=True)
    return Identity(builder.sign(signer, SHA256()), key)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
