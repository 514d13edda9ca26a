"""What nginx has to be told to stand in front of the public hosts.

One template for production, for ``immuni up --nginx`` and for the tests, so that what is tried is
what is run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from immuni.backend.contract import HttpSettings
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.settings import DeploymentSettings

PUBLIC_ROLES: Final = (Role.GET, Role.UPLOAD, Role.ANALYTICS)
"""The hosts that phones reach. The OTP Service and the portal have callers of their own."""
# The service's own limit, which is answered in the form of its endpoint, has to come first.
_LONGER_THAN_A_BODY: Final = timedelta(seconds=30)


_TLS_ADDRESSES: Final = ("443 ssl", "[::]:443 ssl")
_PRODUCTION_HEAD: Final = """\
# nginx in front of the public hosts: put it into /etc/nginx/conf.d, and change the names, the
# certificates and where the services listen. Name nginx in their setting `trusted_proxies`.
#
# `make reference` writes this file, from what `immuni up --nginx` runs and the tests try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One ``server`` of nginx.

    Attributes:
        listen: Addresses and options of its ``listen`` lines.
        roles: The hosts that it stands for.
        name: The only name that it answers to; every name where it is empty.
        certificate: Files of its certificate and key; None speaks no TLS.
    """

    listen: Sequence[str]
    roles: Sequence[Role] = PUBLIC_ROLES
    name: str = ""
    certificate: tuple[Path, Path] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Everything that nginx is told within its ``http`` block.

    Attributes:
        sites: What it answers for.
        upstreams: Where the services of the roles listen, ``host:port``.
        cache: The folder for copies of chunks; nothing else may lie in it.
        failures_log: The file that tells when a service did not answer.
        http: The limits of the services.
        head: What the file says of itself, in comments.
        refused_on: ``listen`` lines on which a handshake for any other name is refused.
    """

    sites: Sequence[Site]
    upstreams: Mapping[Role, str]
    cache: Path
    failures_log: Path
    http: HttpSettings
    head: str
    refused_on: Sequence[str] = ()

    def text(self) -> str:
        """Return the configuration."""
        return (
            templates()
            .get_template("nginx-site.conf.jinja")
            .render(
                sites=self.sites,
                upstreams=self.upstreams,
                cache=self.cache,
                failures_log=self.failures_log,
                head=self.head,
                refused_on=self.refused_on,
                max_body_size=self.http.max_body_size,
                silence_seconds=int((self.http.body_timeout + _LONGER_THAN_A_BODY).total_seconds()),
            )
        )


def production() -> Front:
    """Return what production may begin with: one host each, with TLS, on one machine."""
    ports = Ports(DeploymentSettings().base_port)
    return Front(
        sites=[_production_site(role) for role in PUBLIC_ROLES],
        upstreams={role: f"{LOOPBACK}:{ports.of(role)}" for role in PUBLIC_ROLES},
        cache=Path("/var/cache/nginx/immuni"),
        failures_log=Path("/var/log/nginx/immuni-failures.log"),
        http=HttpSettings(),
        head=_PRODUCTION_HEAD,
        refused_on=[f"{address} default_server" for address in _TLS_ADDRESSES],
    )


def _production_site(role: Role) -> Site:
    folder = Path("/etc/ssl/immuni")
    name = f"{role}.example.org"
    return Site(
        listen=_TLS_ADDRESSES,
        roles=[role],
        name=name,
        certificate=(folder / f"{name}.pem", folder / f"{name}.key"),
    )


def templates() -> Environment:
    """Return the templates of nginx's configuration."""
    return Environment(
        loader=PackageLoader("immuni.deployment"),
        autoescape=False,  # noqa: S701 - it is no HTML, and its values are our own
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
