"""The *settings* role: where settings for phones are published, over mutual TLS only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from immuni.backend.configuration.authoring import authoring_service
from immuni.database import open_pool
from immuni.deployment.certificate_metrics import CertificateMetrics
from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring
from immuni.web import MutualTls

# Few people look after settings, and what they ask for is answered in milliseconds.
_CONNECTIONS: Final = 2


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of those who publish settings; it is not started yet."""
    url = wiring.databases.settings_author_database_url
    async with open_pool(url, name="settings", max_size=_CONNECTIONS) as pool:
        files = InternalCertificates(wiring.deployment.layout.certificates)
        told = CertificateMetrics(wiring.registry).watch("server")
        tls = MutualTls(files.trusted, files.server.certificate, files.server.key, told)
        app = wiring.app_of(authoring_service(pool=pool))
        yield [wiring.server(Role.SETTINGS, app, mutual_tls=tls)]
