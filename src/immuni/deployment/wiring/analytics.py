"""The *analytics* role: Analytics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.api.provinces import italy
from immuni.backend.analytics.http import analytics_service
from immuni.backend.analytics.rules import NoAttestation
from immuni.database import open_pool
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of tokens and Operational Info; it is not started yet."""
    async with open_pool(wiring.databases.analytics_database_url, name="analytics") as pool:
        service = analytics_service(
            pool=pool,
            clock=wiring.clock,
            territory=italy(),
            attestation=NoAttestation(),
            shaping=wiring.shaping(),
        )
        yield [wiring.server(Role.ANALYTICS, wiring.app_of(service))]
