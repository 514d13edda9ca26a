"""Certificates of a deployment: made for its hosts, watched, renewed, their authority replaced.

No step of a replacement breaks a connection: both sides trust the old and the new authority while
certificates change.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509

from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.certification import (
    CertificateFiles,
    Identity,
    issue,
    issue_authority,
    read_identity,
    write_identity,
)
from immuni.deployment.private_files import make_private_folder, write_private
from immuni.errors import ImmuniError

_HOST: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")


class CertificatesError(ImmuniError):
    """The certificates cannot be changed so; they stay as they are."""


class ReplacementStep(StrEnum):
    """A step of replacing the authority, in their order."""

    PREPARE = "prepare"
    SWITCH = "switch"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class CertificateState:
    """A certificate that is there.

    Attributes:
        name: Of its file: ``authority``, ``server``, ``client`` …
        hosts: Whom it is for; none for an authority.
        ends_at: When it ends.
        in_use: False for an authority that is only trusted while it is being replaced.
    """

    name: str
    hosts: tuple[str, ...]
    ends_at: datetime
    in_use: bool


def make_certificates(
    files: InternalCertificates,
    *,
    otp_hosts: Sequence[str],
    portal_hosts: Sequence[str],
    now: datetime,
) -> None:
    """Make an authority, and the certificates of OTP Service and portal.

    Args:
        files: Where they will lie; the folder is readable by its owner only afterwards.
        otp_hosts: Host names and addresses under which the portal reaches the OTP Service.
        portal_hosts: What the portal's certificate says it is.
        now: They are valid from now on.

    Raises:
        CertificatesError: An authority is there already, or a name is none; nothing was made.
    """
    names = [_names(otp_hosts), _names(portal_hosts)]
    if files.authority.certificate.exists():
        raise CertificatesError(f"{files.folder} holds an authority already; renew what it signed")
    make_private_folder(files.folder)
    authority = issue_authority(now)
    for (place, usage), each in zip(files.leaves(), names, strict=True):
        write_identity(place, issue(authority, each, usage, now))
    # Last: until it is there, making them can be tried again.
    write_identity(files.authority, authority)
    files.write_trusted()


def renew_certificates(
    files: InternalCertificates, *, within: timedelta, now: datetime
) -> list[str]:
    """Sign anew, for the same names, what ends soon; the authority stays.

    Args:
        files: Where they lie.
        within: How soon is soon.
        now: They are valid from now on.

    Returns:
        The names of what was renewed.

    Raises:
        CertificatesError: The authority or its key is missing, or ends that soon itself.
    """
    authority = _require(files.authority)
    if not authority.is_valid(now, for_another=within):
        raise CertificatesError("the authority ends too soon itself: replace it first")
    due = [
        (place, usage)
        for place, usage in files.leaves()
        if not _require(place).is_valid(now, for_another=within)
    ]
    for place, usage in due:
        write_identity(place, issue(authority, _require(place).names(), usage, now))
    return [place.certificate.stem for place, _ in due]


def replace_authority(files: InternalCertificates, step: ReplacementStep, *, now: datetime) -> None:
    """Take one step of replacing the authority; taking it twice does no harm.

    Args:
        files: Where everything lies.
        step: ``prepare`` makes the next authority, trusted beside the present one; ``switch``
            signs both certificates anew with it; ``finish`` trusts the old one no longer.
        now: What is made is valid from now on.

    Raises:
        CertificatesError: The step before was not taken, or a file is missing or damaged.
    """
    match step:
        case ReplacementStep.PREPARE:
            _require(files.authority)
            if files.previous_authority.certificate.exists():
                raise CertificatesError("the last replacement is not finished")
            if read_identity(files.next_authority) is None:
                write_identity(files.next_authority, issue_authority(now))
        case ReplacementStep.SWITCH:
            _switch(files, now)
        case ReplacementStep.FINISH:
            if files.next_authority.certificate.exists():
                raise CertificatesError("the next authority is not in use yet: switch to it first")
            files.previous_authority.certificate.unlink(missing_ok=True)
    files.write_trusted()


def certificate_states(files: InternalCertificates) -> list[CertificateState]:
    """Return what there is, whether or not its key is kept on this machine.

    Raises:
        CertificatesError: There is none, or one is damaged.
    """
    states = []
    for place, in_use in (
        (files.authority, True),
        (files.next_authority, False),
        (files.previous_authority, False),
        (files.server, True),
        (files.client, True),
    ):
        if place.certificate.exists():
            states.append(_state(place, in_use=in_use))
    if not states:
        raise CertificatesError(
            f"no certificates in {files.folder}; `immuni certs make` makes them"
        )
    return states


def _switch(files: InternalCertificates, now: datetime) -> None:
    if not files.next_authority.certificate.exists():
        if files.previous_authority.certificate.exists():
            return
        raise CertificatesError("there is no next authority: prepare it first")
    following = _require(files.next_authority)
    for place, usage in files.leaves():
        identity = _require(place)
        if not identity.is_signed_by(following):
            write_identity(place, issue(following, identity.names(), usage, now))
    old = files.authority.certificate.read_bytes()
    # Taken again after a crash, the step finds the new one there.
    if old != files.next_authority.certificate.read_bytes():
        write_private(files.previous_authority.certificate, old)
    write_identity(files.authority, following)
    files.next_authority.certificate.unlink()
    files.next_authority.key.unlink()


def _require(place: CertificateFiles) -> Identity:
    identity = read_identity(place)
    if identity is None:
        raise CertificatesError(
            f"{place.certificate} or {place.key.name} is missing or damaged, or they do not fit"
        )
    return identity


def _state(place: CertificateFiles, *, in_use: bool) -> CertificateState:
    try:
        certificate = x509.load_pem_x509_certificate(place.certificate.read_bytes())
    except ValueError as error:
        raise CertificatesError(f"{place.certificate} is damaged") from error
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = tuple(str(each.value) for each in names)
    except x509.ExtensionNotFound:
        hosts = ()
    return CertificateState(
        place.certificate.stem, hosts, certificate.not_valid_after_utc, in_use=in_use
    )


def _names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [_name(host) for host in hosts]


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if _HOST.fullmatch(host) is None:
        raise CertificatesError(f"{host!r} is neither a host name in small letters nor an address")
    return x509.DNSName(host)
