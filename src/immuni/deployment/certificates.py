"""The internal certification authority, and the two certificates of the OTP Service's mutual TLS.

The OTP Service answers only to clients of this authority; the HIS portal is the one there is.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from immuni.clock import Clock
from immuni.deployment.certification import (
    LIFETIME,
    CertificateFiles,
    issue,
    issue_authority,
    read_identity,
    write_identity,
)
from immuni.deployment.private_files import make_private_folder, write_private

RENEW_BEFORE_END: Final = timedelta(days=180)
_AUTHORITY_RENEW_BEFORE_END: Final = LIFETIME + RENEW_BEFORE_END
_SERVER_NAMES: Final[Sequence[x509.GeneralName]] = (
    x509.DNSName("otp.localhost"),
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
)
_CLIENT_NAMES: Final[Sequence[x509.GeneralName]] = (x509.DNSName("portal.localhost"),)


@dataclass(frozen=True, slots=True)
class InternalCertificates:
    """Where the authority and what it signed lie."""

    folder: Path

    @property
    def authority(self) -> CertificateFiles:
        """The authority's own."""
        return self._files("authority")

    @property
    def next_authority(self) -> CertificateFiles:
        """The one that takes its place, while it is being replaced."""
        return self._files("authority-next")

    @property
    def previous_authority(self) -> CertificateFiles:
        """The one that it replaced; its key is gone."""
        return self._files("authority-previous")

    @property
    def trusted(self) -> Path:
        """The certificates of all authorities that both sides trust."""
        return self.folder / "trusted.pem"

    @property
    def server(self) -> CertificateFiles:
        """The OTP Service's."""
        return self._files("server")

    @property
    def client(self) -> CertificateFiles:
        """The HIS portal's."""
        return self._files("client")

    def leaves(self) -> Sequence[tuple[CertificateFiles, x509.ObjectIdentifier]]:
        """Return what the authority signs, and for which use."""
        return (
            (self.server, ExtendedKeyUsageOID.SERVER_AUTH),
            (self.client, ExtendedKeyUsageOID.CLIENT_AUTH),
        )

    def write_trusted(self) -> None:
        """Trust each authority that is there."""
        authorities = (self.authority, self.next_authority, self.previous_authority)
        there = [each.certificate for each in authorities if each.certificate.exists()]
        content = b"".join(each.read_bytes() for each in there)
        if not self.trusted.exists() or self.trusted.read_bytes() != content:
            write_private(self.trusted, content)

    def _files(self, name: str) -> CertificateFiles:
        return CertificateFiles(self.folder / f"{name}.pem", self.folder / f"{name}.key")


def ensure_certificates(folder: Path, *, clock: Clock) -> InternalCertificates:
    """Create for this machine what is missing, damaged or soon to end; leave alone what is good.

    Args:
        folder: Readable by its owner only afterwards.
        clock: Says what is soon.

    Returns:
        Where everything lies. A new authority has signed both certificates anew.
    """
    make_private_folder(folder)
    files = InternalCertificates(folder)
    now = clock.now()
    authority = read_identity(files.authority)
    if authority is None or not authority.is_valid(now, for_another=_AUTHORITY_RENEW_BEFORE_END):
        authority = issue_authority(now)
        write_identity(files.authority, authority)
    for (place, usage), names in zip(files.leaves(), (_SERVER_NAMES, _CLIENT_NAMES), strict=True):
        identity = read_identity(place)
        if (
            identity is None
            or not identity.is_valid(now, for_another=RENEW_BEFORE_END)
            or not identity.is_signed_by(authority)
            or identity.names() != list(names)
        ):
            write_identity(place, issue(authority, names, usage, now))
    files.write_trusted()
    return files
