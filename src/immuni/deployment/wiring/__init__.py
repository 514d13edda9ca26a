"""Putting the parts together, from settings and keys to running servers.

The only place that constructs services; everything else takes what it needs as arguments. Each role
is a module of its own, so that a process imports what it runs and no more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from immuni.backend.chunks import ChunkStore, ChunkStoreSettings
from immuni.backend.contract import HttpSettings, contract, create_app
from immuni.backend.following import FollowingSettings
from immuni.backend.otp_keys import OtpKeys, OtpKeySettings
from immuni.backend.service_end import ServiceEnd
from immuni.backend.shaping import Gate, Shaping, ShapingMetrics, ShapingSettings
from immuni.clock import Clock
from immuni.deployment.configured import Configured
from immuni.deployment.roles import Role
from immuni.deployment.serving import Listener, Server
from immuni.deployment.settings import DatabaseSettings, DeploymentSettings
from immuni.entropy import Entropy
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.settings import AuditSettings
from immuni.settings import SettingsError
from immuni.web import (
    Application,
    MutualTls,
    OverloadLimiter,
    OverloadMetrics,
    ProxySettings,
    Service,
)

ANALYTICS_KEY_ID: Final = "analytics-1"


NEEDED: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.GET: ("configuration_database_url", "reporting_database_url"),
    Role.UPLOAD: ("ingestion_database_url", "otp_keys"),
    Role.ANALYTICS: ("analytics_database_url",),
    Role.OTP: ("otp_database_url", "otp_keys"),
    Role.PORTAL: ("portal_database_url", "portal_factor_keys", "audit_keys"),
    Role.JOBS: ("jobs_database_url", "analytics_database_url"),
    Role.PHONES: (),
    Role.DASHBOARD: ("dashboard_database_url",),
    Role.SETTINGS: ("settings_author_database_url",),
}
"""The settings that a role cannot do without, and for which no default could be right."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What every role's application is made from.

    Attributes:
        configured: All settings.
        clock: The server's clock.
        entropy: The server's randomness.
        registry: Holds the metrics of this process.
        limiter: Bounds the requests that this process works on.
    """

    configured: Configured
    clock: Clock
    entropy: Entropy
    registry: CollectorRegistry
    limiter: OverloadLimiter

    @classmethod
    def of(
        cls, configured: Configured, *, clock: Clock, entropy: Entropy, registry: CollectorRegistry
    ) -> Self:
        """Begin to put a process together."""
        limiter = OverloadLimiter(
            max_working=configured.of(HttpSettings).max_working_requests,
            metrics=OverloadMetrics(registry),
        )
        return cls(configured, clock, entropy, registry, limiter)

    @property
    def deployment(self) -> DeploymentSettings:
        """Where everything lies and listens."""
        return self.configured.of(DeploymentSettings)

    @property
    def databases(self) -> DatabaseSettings:
        """How each service logs in."""
        return self.configured.of(DatabaseSettings)

    def chunk_store(self) -> ChunkStore:
        """Open where chunks are kept."""
        return self.configured.of(ChunkStoreSettings).open(self.deployment.layout.chunks)

    def otp_keys(self) -> OtpKeys:
        """Return the secrets under which codes are hashed.

        Raises:
            SettingsError: There are none.
        """
        keys = self.configured.of(OtpKeySettings).otp_keys
        if keys is None:
            raise SettingsError(["otp_keys: not set; this role hashes codes"])
        return keys

    def audit_keys(self) -> AuditKeys:
        """Return the secrets under which the portal's audit trail is chained.

        Raises:
            SettingsError: There are none.
        """
        keys = self.configured.of(AuditSettings).audit_keys
        if keys is None:
            raise SettingsError(["audit_keys: not set; they chain the audit trail"])
        return keys

    def app_of(self, *services: Service) -> Application:
        """Build one application that answers for several services."""
        return create_app(
            services,
            settings=self.configured.of(HttpSettings),
            registry=self.registry,
            limiter=self.limiter,
        )

    def shaping(self, gate: Gate) -> Shaping:
        """Return what gives answers equal sizes and times; `gate` closes at the service's end."""
        return Shaping(
            settings=self.configured.of(ShapingSettings),
            contract=contract(self.configured.of(HttpSettings)),
            entropy=self.entropy,
            metrics=ShapingMetrics(self.registry),
            # While genuine requests are told to come again, dummies are told the same.
            gates=[gate, lambda _source: self.limiter.check()],
        )

    def service_end(self, url: str) -> ServiceEnd:
        """Return what closes intake when the service ends, followed in the services' database."""
        following = self.configured.of(FollowingSettings)
        return ServiceEnd.of_services(url, clock=self.clock, settings=following)

    def server(self, role: Role, app: ASGIApp, *, mutual_tls: MutualTls | None = None) -> Server:
        """Return a server for a role's application, on the role's port."""
        host, port = self.deployment.bind_host, self.deployment.ports.of(role)
        proxies = self.configured.of(ProxySettings).trusted_proxies
        return Server(app, Listener(host, port, mutual_tls, proxies), self.clock)
