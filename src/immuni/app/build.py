"""What is compiled into a build of the App: who it is, whom it asks, whom it trusts."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from immuni.api import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A build of the App.

    Attributes:
        platform: The profile under which the phone speaks to the servers.
        number: The build, 1..20000, compared with `minimum_build_version`.
        get_url: Base URL of the host that serves settings, index and chunks.
        upload_url: Base URL of the ingestion host.
        analytics_url: Base URL of the analytics host.
        settings_keys: Pinned keys of the settings' signature, by id.
        tls: Trust roots and limits, as `pinned_tls` makes them.
        lines: Base URLs, and where their hosts are reached instead: for a phone whose network
            somebody wants to cut. The three above are named as they are reached already.
    """

    platform: Platform
    number: int
    get_url: str
    upload_url: str
    analytics_url: str
    settings_keys: Mapping[str, EllipticCurvePublicKey] = field(repr=False)
    tls: ssl.SSLContext = field(repr=False)
    lines: Mapping[str, str] = field(default_factory=dict)

    def reached(self, address: str) -> str:
        """Return where an address is reached that a server has named."""
        for base, line in self.lines.items():
            if address.startswith(f"{base}/"):
                return line + address.removeprefix(base)
        return address


def pinned_tls(authority: Path | None) -> ssl.SSLContext:
    """Return TLS of version 1.2 or later that trusts one authority and no other.

    Args:
        authority: PEM file of the pinned authority; None trusts nobody, for a build that speaks
            plain HTTP within one machine.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is not None:
        context.load_verify_locations(cafile=authority)
    return context
