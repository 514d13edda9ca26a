"""The *get* role: App Configuration, Exposure Reporting, and texts to read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.backend.configuration.http import configuration_service
from immuni.backend.following import FollowingSettings
from immuni.backend.reporting.http import ReportingSettings, reporting_service
from immuni.backend.reporting.metrics import IndexMetrics
from immuni.backend.retention import RetentionSettings
from immuni.backend.texts import texts_service
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.signing_keys import keyring_of
from immuni.deployment.wiring import Wiring


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of settings, index, chunks and texts; it is not started yet."""
    following = wiring.configured.of(FollowingSettings)
    configuration = configuration_service(
        database_url=wiring.databases.configuration_database_url,
        signer=keyring_of(wiring.deployment.layout).settings_signer,
        clock=wiring.clock,
        following=following,
    )
    reporting = reporting_service(
        database_url=wiring.databases.reporting_database_url,
        store=wiring.chunk_store(),
        clock=wiring.clock,
        settings=wiring.configured.of(ReportingSettings),
        retention=wiring.configured.of(RetentionSettings),
        following=following,
        metrics=IndexMetrics(wiring.registry),
    )
    yield [wiring.server(Role.GET, wiring.app_of(configuration, reporting, texts_service()))]
