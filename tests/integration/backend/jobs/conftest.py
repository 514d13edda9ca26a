"""Everything that jobs work with, on fresh databases."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from immuni.api.provinces import italy
from immuni.backend.analytics.insights.settings import InsightsSettings
from immuni.backend.jobs import Parts, open_queue
from immuni.backend.outbox import Outbox
from immuni.backend.refreshing import Refreshing
from immuni.backend.retention import RetentionSettings
from immuni.backend.sealing import OpeningKey, SealingKey, create_sealing_key
from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from tests.publishing import NOW, Press

KEY_ID = "analytics-test"


@pytest.fixture
def clock() -> ManualClock:
    """Return the servers' clock."""
    return ManualClock(NOW)


@pytest.fixture
def press(tmp_path: Path, services_database: ServicesDatabase, clock: ManualClock) -> Press:
    """Set up a press."""
    return Press(tmp_path, services_database, clock)


@pytest.fixture
def sealing_key(tmp_path: Path) -> SealingKey:
    """Return the public half of the analytics key, which is made first."""
    create_sealing_key(tmp_path / "analytics.pem", tmp_path / "analytics-public.pem")
    return SealingKey.read(tmp_path / "analytics-public.pem", key_id=KEY_ID)


@pytest.fixture
async def parts(
    press: Press,
    analytics_database: AnalyticsDatabase,
    sealing_key: SealingKey,
    clock: ManualClock,
) -> AsyncIterator[Parts]:
    """Open everything."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(press.database.jobs, max_size=4))
        open_analytics = partial(open_pool, analytics_database.analytics, max_size=2)
        publisher = await stack.enter_async_context(press.publisher())
        key = OpeningKey.read(press.folder / "analytics.pem", key_id=sealing_key.key_id)
        yield Parts(
            publisher=publisher,
            outbox=Outbox(pool=pool, open_analytics=open_analytics, opening_key=key),
            refreshing=Refreshing(
                pool=pool,
                open_analytics=open_analytics,
                territory=italy(),
                settings=InsightsSettings(),
            ),
            pool=pool,
            open_analytics=open_analytics,
            chunks=press.chunks,
            retention=RetentionSettings(),
            queue=await stack.enter_async_context(open_queue(press.database.jobs)),
            clock=clock,
        )
