"""The *analytics* role: Analytics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.api.provinces import italy
from immuni.backend.analytics.attestation.android import AndroidAttestation
from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.backend.analytics.http import analytics_service
from immuni.backend.following import FollowingSettings
from immuni.backend.service_end import ServiceEnd
from immuni.database import open_pool
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of tokens and Operational Info; it is not started yet.

    Raises:
        SettingsError: What Android phones shall vouch with cannot be verified as it is set up.
    """
    settings = wiring.configured.of(AttestationSettings)
    attestation = AndroidAttestation.of(settings, wiring.registry)
    url = wiring.databases.analytics_database_url
    end = ServiceEnd.of_analytics(
        url, clock=wiring.clock, settings=wiring.configured.of(FollowingSettings)
    )
    async with open_pool(url, name="analytics") as pool, end.followed():
        service = analytics_service(
            pool=pool,
            clock=wiring.clock,
            territory=italy(),
            attestation=attestation,
            shaping=wiring.shaping(end.check),
        )
        yield [wiring.server(Role.ANALYTICS, wiring.app_of(service))]
