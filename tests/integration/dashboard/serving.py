"""A dashboard on a real port, over a real database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from prometheus_client import CollectorRegistry

from immuni.api import italy
from immuni.backend.contract import HttpSettings
from immuni.dashboard.application import create_dashboard
from immuni.dashboard.early_warning import EarlyWarningSettings
from immuni.dashboard.forecast import ForecastSettings
from immuni.dashboard.settings import DashboardSettings
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase
from immuni.web import HttpMetrics
from tests.contract.serving import serving


@asynccontextmanager
async def dashboard_of(
    database: AnalyticsDatabase, *, acquire_timeout: timedelta = timedelta(seconds=5)
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve a dashboard that logs in as the role does."""
    async with open_pool(database.dashboard, max_size=2, acquire_timeout=acquire_timeout) as pool:
        app = create_dashboard(
            pool=pool,
            territory=italy(),
            settings=DashboardSettings(
                forecast=ForecastSettings(), early_warning=EarlyWarningSettings()
            ),
            http=HttpSettings(),
            metrics=HttpMetrics(CollectorRegistry()),
        )
        async with serving(app) as client:
            yield client
