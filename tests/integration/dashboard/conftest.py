"""Figures of a country in a database, and a dashboard over them."""

from collections.abc import AsyncIterator, Iterator

import httpx
import psycopg
import pytest

from immuni.dashboard.figures import Figures
from immuni.deployment.databases import AnalyticsDatabase
from tests.figures import sample_figures, write_figures
from tests.integration.dashboard.serving import dashboard_of
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


@pytest.fixture
async def dashboard(filled: AnalyticsDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """Lend a client of a dashboard with figures."""
    async with dashboard_of(filled) as client:
        yield client
