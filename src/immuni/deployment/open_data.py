"""Open data from the command line: the settings, and the login of the Analytics Service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date
from pathlib import Path

from immuni.api import italy
from immuni.backend.analytics.opendata.cells import OpenData, Row, rows_of
from immuni.backend.analytics.opendata.releasing import release, released
from immuni.backend.analytics.opendata.settings import OpenDataSettings
from immuni.backend.analytics.opendata.store import Charge, budget
from immuni.clock import Clock
from immuni.database import Pool, open_pool
from immuni.deployment.configured import Configured, read_configured
from immuni.deployment.settings import DatabaseSettings


async def release_month(config: Path, month: date, clock: Clock) -> OpenData:
    """Release the open data of a month, or return what was released.

    Raises:
        SettingsError: Some settings are wrong, or no database is named.
        NotReleasableError: The month cannot be released now; nothing was charged.
        ReleaseLostError: It was charged before, and crashed.
        DatabaseUnreachableError: The database does not answer, or refuses the login.
    """
    configured = _configured(config)
    epsilon = configured.of(OpenDataSettings).open_data_epsilon
    today = clock.now().astimezone(UTC).date()
    async with _pool(configured) as pool:
        return await release(pool, month, epsilon=epsilon, territory=italy(), today=today)


async def released_month(config: Path, month: date) -> tuple[OpenData, list[Row]]:
    """Return what was published of a month, and the same in rows with totals.

    Raises:
        SettingsError: Some settings are wrong, or no database is named.
        UnreleasedError: Nothing was published.
        ReleaseLostError: Nothing was, and nothing ever will be.
        DatabaseUnreachableError: The database does not answer, or refuses the login.
    """
    async with _pool(_configured(config)) as pool:
        data = await released(pool, month)
    return data, rows_of(data, italy())


async def privacy_budget(config: Path) -> list[Charge]:
    """Return what open data have cost so far.

    Raises:
        SettingsError: Some settings are wrong, or no database is named.
        DatabaseUnreachableError: The database does not answer, or refuses the login.
    """
    async with _pool(_configured(config)) as pool:
        return await budget(pool)


def _configured(config: Path) -> Configured:
    configured = read_configured(config)
    configured.require(["analytics_database_url"])
    return configured


@asynccontextmanager
async def _pool(configured: Configured) -> AsyncIterator[Pool]:
    url = configured.of(DatabaseSettings).analytics_database_url
    async with open_pool(url, max_size=1, name="open-data") as pool:
        yield pool
