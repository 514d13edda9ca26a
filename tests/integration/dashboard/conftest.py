"""A dashboard on a real port, over a real database of figures."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.api import italy
from immuni.backend.contract import HttpSettings
from immuni.dashboard.application import create_dashboard
from immuni.dashboard.early_warning import EarlyWarningSettings
from immuni.dashboard.figures import Figures
from immuni.dashboard.forecast import ForecastSettings
from immuni.dashboard.pages import DashboardSettings
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase
from immuni.web import HttpMetrics
from tests.contract.serving import serving
from tests.figures import sample_figures, write_figures
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def figures() -> Figures:
    """Return what was decided of a country in autumn."""
    return sample_figures()


@pytest.fixture(scope="module")
def filled(postgres: Postgres, figures: Figures) -> Iterator[AnalyticsDatabase]:
    """Lend a database with these figures, which no test changes."""
    with postgres.copy_of(AnalyticsDatabase) as database:
        write_figures(database.owner, figures)
        # As autovacuum would have done.
        with psycopg.connect(database.owner, autocommit=True) as connection:
            connection.execute("ANALYZE analytics.release, analytics.figure")
        yield database


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


@pytest.fixture
async def dashboard(filled: AnalyticsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client of a dashboard with figures."""
    async with dashboard_of(filled) as client:
        yield client
