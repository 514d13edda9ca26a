"""Every role against every table, as the catalog has them: a new table needs a line here."""

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection

from immuni.deployment.databases import AnalyticsDatabase, PortalDatabase, ServicesDatabase
from immuni.deployment.rights import ALLOWED, HOMES, rights_found, wrong_rights

pytestmark = pytest.mark.anyio


@pytest.fixture
def urls(
    services_database: ServicesDatabase,
    analytics_database: AnalyticsDatabase,
    portal_database: PortalDatabase,
) -> list[str]:
    """Return the URL of each database, as its owner."""
    return [services_database.owner, analytics_database.owner, portal_database.owner]


@pytest.fixture
def admin(postgres_admin_url: str, urls: list[str]) -> Iterator[psycopg.Connection[Any]]:
    """Connect as the superuser, to the server on which all databases are prepared."""
    assert urls
    with psycopg.connect(postgres_admin_url) as connection:
        yield connection


def value(connection: psycopg.Connection[Any], statement: LiteralString, **named: object) -> Any:  # noqa: ANN401 - whatever the statement returns
    row = connection.execute(statement, named).fetchone()
    assert row is not None
    return row[0]


async def found_in(urls: list[str]) -> dict[tuple[str, str], str]:
    """Return what each login may do with each table of all databases."""
    found: dict[tuple[str, str], str] = {}
    for url in urls:
        async with await AsyncConnection.connect(url) as connection:
            found |= await rights_found(connection)
    return found


async def test_each_role_may_do_with_each_table_what_is_said(urls: list[str]) -> None:
    found = await found_in(urls)

    assert wrong_rights(found) == []
    assert {pair: rights for pair, rights in found.items() if rights} == ALLOWED
    tables = {table for _, table in found}
    assert len(found) == len(tables) * len(HOMES)
    unsaid = tables - {table for _, table in ALLOWED}
    assert all(table.startswith("public.versions_of_") for table in unsaid), unsaid


def test_a_right_in_a_schema_that_a_role_may_not_enter_is_worth_nothing(urls: list[str]) -> None:
    entered = set()
    for url in urls:
        with psycopg.connect(url) as connection:
            schemas = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'"
            ).fetchall()
            entered |= {
                (role, schema)
                for (schema,) in schemas
                for role in HOMES
                if schema != "public"
                and value(
                    connection,
                    "SELECT has_schema_privilege(%(role)s, %(schema)s, 'USAGE')",
                    role=role,
                    schema=schema,
                )
            }

    assert entered == {
        (role, table.split(".")[0]) for role, table in ALLOWED if not table.startswith("public.")
    }


def test_no_role_gets_into_the_database_of_another(admin: psycopg.Connection[Any]) -> None:
    for role, home in HOMES.items():
        for database in set(HOMES.values()):
            may = value(
                admin,
                "SELECT has_database_privilege(%(role)s, %(database)s, 'CONNECT')",
                role=role,
                database=database,
            )
            assert may is (database == home), (role, database)


def test_no_role_is_more_than_a_login(admin: psycopg.Connection[Any]) -> None:
    roles = admin.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^immuni_'").fetchall()
    assert {role for (role,) in roles} == set(HOMES)
    powers = admin.execute(
        """
        SELECT rolname FROM pg_roles WHERE rolname ~ '^immuni_'
        AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls)
        """
    ).fetchall()
    assert powers == []
    members = admin.execute(
        "SELECT member::regrole FROM pg_auth_members WHERE member::regrole::text ~ '^immuni_'"
    ).fetchall()
    assert members == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "GRANT SELECT (onset_on) ON ingestion.otp TO immuni_reporting",
            "immuni_reporting may SELECT(onset_on) on ingestion.otp, want nothing",
        ),
        (
            "REVOKE DELETE ON ingestion.outbox FROM immuni_jobs",
            "immuni_jobs may SELECT on ingestion.outbox, want SELECT DELETE",
        ),
        (
            "CREATE TABLE ingestion.news (one int); GRANT ALL ON ingestion.news TO immuni_otp",
            "immuni_otp may INSERT SELECT UPDATE DELETE TRUNCATE on ingestion.news, want nothing",
        ),
    ],
)
async def test_a_right_too_many_or_too_few_is_told(urls: list[str], change: str, told: str) -> None:
    with psycopg.connect(urls[0]) as connection:
        connection.execute(change.encode())

    assert wrong_rights(await found_in(urls)) == [told]
