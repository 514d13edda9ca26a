"""Publishing sets of settings, on the real PostgreSQL."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

from immuni.api import Platform
from immuni.backend.configuration.rules import UNPUBLISHED, SettingEntry
from immuni.backend.configuration.store import InvalidSettingsError, load_newest, publish
from immuni.deployment.databases import ServicesDatabase

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
ENTRIES = (
    SettingEntry(Platform.IOS, "exposure_configuration", 1, {"minimum_risk_score": 2}),
    SettingEntry(Platform.IOS, "support_email", 1, None),
    SettingEntry(Platform.IOS, "support_email", 5, withdrawn=True),
)


async def put(connection: AsyncConnection[TupleRow], *entries: SettingEntry) -> int:
    return await publish(connection, entries, author="Ada", reason="a trial", now=NOON)


async def test_what_was_published_is_read_by_the_services_role(
    services_database: ServicesDatabase,
) -> None:
    async with await psycopg.AsyncConnection.connect(services_database.owner) as owner:
        assert await load_newest(owner) == UNPUBLISHED
        assert await put(owner, ENTRIES[1]) == 1
        assert await put(owner, *ENTRIES) == 2
    async with await psycopg.AsyncConnection.connect(services_database.configuration) as service:
        read = await load_newest(service)

    assert read.version == 2
    assert set(map(repr, read.entries)) == set(map(repr, ENTRIES))


async def test_a_bad_set_is_not_published(services_database: ServicesDatabase) -> None:
    bad = SettingEntry(Platform.IOS, "minimum_build_version", 1, "five")
    async with await psycopg.AsyncConnection.connect(services_database.owner) as owner:
        with pytest.raises(InvalidSettingsError) as refusal:
            await put(owner, *ENTRIES, bad)

        assert len(refusal.value.faults) == 1
        assert await load_newest(owner) == UNPUBLISHED


async def test_publishers_at_the_same_time_get_versions_of_their_own(
    services_database: ServicesDatabase,
) -> None:
    async def publish_one() -> int:
        async with await psycopg.AsyncConnection.connect(services_database.owner) as owner:
            return await put(owner, *ENTRIES)

    versions = await asyncio.gather(*(publish_one() for _ in range(5)))

    assert sorted(versions) == [1, 2, 3, 4, 5]


async def test_the_services_role_cannot_change_what_phones_do(
    services_database: ServicesDatabase,
) -> None:
    async with await psycopg.AsyncConnection.connect(services_database.configuration) as service:
        with pytest.raises(errors.InsufficientPrivilege):
            await put(service, *ENTRIES)


async def test_a_set_remembers_who_when_and_why(services_database: ServicesDatabase) -> None:
    async with await psycopg.AsyncConnection.connect(services_database.owner) as owner:
        await put(owner, *ENTRIES)
        cursor = await owner.execute(
            "SELECT number, published_at, author, reason FROM configuration.version"
        )

        assert await cursor.fetchall() == [(1, NOON, "Ada", "a trial")]
