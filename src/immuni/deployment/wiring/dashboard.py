"""The *dashboard* role: insights for the health authority."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from immuni.api.provinces import italy
from immuni.backend.contract import HttpSettings
from immuni.dashboard.application import create_dashboard
from immuni.dashboard.early_warning import EarlyWarningSettings
from immuni.dashboard.forecast import ForecastSettings
from immuni.dashboard.settings import DashboardSettings
from immuni.database import open_pool
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring
from immuni.web import HttpMetrics


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Yield the server of the dashboard; it is not started yet."""
    configured = wiring.configured
    settings = DashboardSettings(
        forecast=configured.of(ForecastSettings),
        early_warning=configured.of(EarlyWarningSettings),
    )
    async with open_pool(wiring.databases.dashboard_database_url, name="dashboard") as pool:
        dashboard = create_dashboard(
            pool=pool,
            territory=italy(),
            settings=settings,
            http=configured.of(HttpSettings),
            metrics=HttpMetrics(wiring.registry),
            limiter=wiring.limiter,
        )
        yield [wiring.server(Role.DASHBOARD, dashboard)]
