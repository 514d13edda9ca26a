"""What the jobs may read of the settings: against which rates phones drew, and since when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import pytest
from psycopg import AsyncConnection

from immuni.api import Platform
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import publish
from immuni.deployment.databases import ServicesDatabase

WITH: Final = "operational_info_with_exposure_sampling_rate"
WITHOUT: Final = "operational_info_without_exposure_sampling_rate"
NOW: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)

pytestmark = pytest.mark.anyio


async def publish_all(database: ServicesDatabase, *sets: Sequence[SettingEntry]) -> None:
    """Publish one set a day."""
    async with await AsyncConnection.connect(database.settings_author) as connection:
        for day, entries in enumerate(sets):
            now = NOW + timedelta(days=day)
            await publish(connection, entries, author="x", reason="x", now=now)


async def test_the_rates_of_every_version_are_there_with_their_moment(
    services_database: ServicesDatabase,
) -> None:
    await publish_all(
        services_database,
        [
            SettingEntry(Platform.IOS, WITH, 1, 1),
            SettingEntry(Platform.IOS, WITHOUT, 1, 0.6),
            SettingEntry(Platform.IOS, "risk_duration", 1, 60),
        ],
        [
            SettingEntry(Platform.ANDROID, WITHOUT, 1, 0.25),
            SettingEntry(Platform.ANDROID, WITHOUT, 7, withdrawn=True),
        ],
        # Nothing is taken over from the version before: phones have their own defaults now.
        [SettingEntry(Platform.IOS, "risk_duration", 1, 60)],
    )

    with psycopg.connect(services_database.jobs) as connection:
        rows = connection.execute(
            """
            SELECT version, published_at, platform, starting_build, name, value, withdrawn
            FROM configuration.sampling_rate ORDER BY version, platform, name, starting_build
            """
        ).fetchall()

    days = [NOW + timedelta(days=day) for day in range(3)]
    assert rows == [
        (1, days[0], "ios", 1, WITH, 1, False),
        (1, days[0], "ios", 1, WITHOUT, 0.6, False),
        (2, days[1], "android", 1, WITHOUT, 0.25, False),
        (2, days[1], "android", 7, WITHOUT, None, True),
        (3, days[2], None, None, None, None, None),
    ]


def test_the_jobs_read_no_other_settings(services_database: ServicesDatabase) -> None:
    with psycopg.connect(services_database.jobs, autocommit=True) as connection:
        for statement in ("SELECT value FROM configuration.entry", "TABLE configuration.version"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
