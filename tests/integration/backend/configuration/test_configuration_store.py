"""Publishing sets of settings, on the real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import AsyncConnection, errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from immuni.api import Platform
from immuni.backend.configuration.rules import UNPUBLISHED, SettingEntry
from immuni.backend.configuration.store import (
    InvalidSettingsError,
    StaleDraftError,
    history,
    load_newest,
    load_version,
    publish,
    server_time,
)
from immuni.deployment.databases import ServicesDatabase, relocate

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
        url = services_database.settings_author
        async with await psycopg.AsyncConnection.connect(url) as author:
            return await put(author, *ENTRIES)

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


async def test_of_those_who_had_the_same_version_in_view_one_publishes(
    services_database: ServicesDatabase,
) -> None:
    async def publish_one() -> int:
        url = services_database.settings_author
        async with await psycopg.AsyncConnection.connect(url) as author:
            return await publish(
                author, ENTRIES, author="Ada", reason="a trial", now=NOON, based_on=0
            )

    done = await asyncio.gather(*(publish_one() for _ in range(5)), return_exceptions=True)

    assert [each for each in done if not isinstance(each, StaleDraftError)] == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE configuration.entry SET value = '1'",
        "UPDATE configuration.version SET author = 'Eve'",
        "DELETE FROM configuration.entry",
        "DELETE FROM configuration.version",
        "TRUNCATE configuration.entry",
        "INSERT INTO configuration.version VALUES (9, 1, now(), 'Eve', 'x', 'postgres')",
        "SELECT * FROM ingestion.otp",
        "SELECT * FROM ingestion.upload",
        "SELECT * FROM publishing.chunk",
    ],
)
def test_an_author_only_adds_sets(services_database: ServicesDatabase, statement: str) -> None:
    with (
        psycopg.connect(services_database.settings_author) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


async def test_the_database_says_which_login_published(services_database: ServicesDatabase) -> None:
    url = services_database.settings_author
    async with await psycopg.AsyncConnection.connect(url) as author:
        await put(author, *ENTRIES)
        cursor = await author.execute("SELECT login FROM configuration.version")

        assert await cursor.fetchall() == [("immuni_settings_author",)]
        assert await load_version(author, 1) == await load_newest(author)
        assert (await server_time(author)).utcoffset() == timedelta(0)


async def test_a_login_of_ones_own_is_named_in_the_history(
    services_database: ServicesDatabase,
) -> None:
    name = str(conninfo_to_dict(services_database.owner)["dbname"])
    async with await psycopg.AsyncConnection.connect(services_database.owner) as owner:
        await owner.execute(
            "CREATE ROLE ada LOGIN PASSWORD 'secret' IN ROLE immuni_settings_author"
        )
        await owner.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO ada").format(sql.Identifier(name))
        )
        await owner.commit()
        try:
            url = relocate(services_database.owner, user="ada", password="secret")
            async with await psycopg.AsyncConnection.connect(url) as ada:
                await put(ada, *ENTRIES)
            (publication,) = await history(owner)
        finally:
            await owner.execute("DROP OWNED BY ada; DROP ROLE ada")

    assert (publication.login, publication.author) == ("ada", "Ada")
