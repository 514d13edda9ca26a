"""The analytics database, as the Analytics Service reaches it."""

from collections.abc import AsyncIterator

import pytest

from immuni.database import Pool, open_pool
from immuni.deployment.databases import AnalyticsDatabase


@pytest.fixture
async def pool(analytics_database: AnalyticsDatabase) -> AsyncIterator[Pool]:
    """Return connections of the service's own login."""
    async with open_pool(analytics_database.analytics) as opened:
        yield opened
