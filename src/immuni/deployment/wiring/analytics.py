"""The *analytics* role: Analytics."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.api.provinces import italy
from immuni.backend.analytics.attestation.android import AndroidAttestation
from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.backend.analytics.devicecheck.client import open_device_check
from immuni.backend.analytics.devicecheck.metrics import DeviceCheckMetrics
from immuni.backend.analytics.devicecheck.provider import ProviderToken
from immuni.backend.analytics.devicecheck.runner import Runner
from immuni.backend.analytics.devicecheck.settings import DeviceCheckSettings
from immuni.backend.analytics.devicecheck.tokens import Tokens
from immuni.backend.analytics.http import analytics_service
from immuni.backend.following import FollowingSettings
from immuni.backend.service_end import ServiceEnd
from immuni.database import Pool, open_pool
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
    async with (
        open_pool(url, name="analytics") as pool,
        end.followed(),
        _authorising(wiring, pool) as tokens,
    ):
        service = analytics_service(
            pool=pool,
            clock=wiring.clock,
            territory=italy(),
            attestation=attestation,
            shaping=wiring.shaping(end.check),
            tokens=tokens,
        )
        yield [wiring.server(Role.ANALYTICS, wiring.app_of(service))]


@asynccontextmanager
async def _authorising(wiring: Wiring, pool: Pool) -> AsyncIterator[Tokens]:
    """Work on authorisations, where Apple knows us, and yield what answers phones."""
    settings, clock = wiring.configured.of(DeviceCheckSettings), wiring.clock
    if settings.device_check_key_file is None:
        yield Tokens(pool=pool, settings=settings, clock=clock)
        return
    provider = ProviderToken.read(
        settings.device_check_key_file,
        key_id=settings.device_check_key_id,
        team_id=settings.device_check_team_id,
    )
    async with (
        # Connections of its own: whoever waits for Apple holds up no report.
        open_pool(
            wiring.databases.analytics_database_url, name="devicecheck", max_size=4
        ) as theirs,
        open_device_check(
            settings.device_check_url,
            provider,
            calls=settings.device_check_calls,
            clock=clock,
            entropy=wiring.entropy,
        ) as device_check,
    ):
        runner = Runner(
            theirs,
            device_check,
            waits=settings.waits,
            calls=settings.device_check_calls,
            metrics=DeviceCheckMetrics(wiring.registry),
            clock=clock,
            entropy=wiring.entropy,
        )
        async with runner.running():
            yield Tokens(pool=pool, settings=settings, clock=clock, wake=runner.due_in)
