"""Every role against every table, as the catalog has them: a new table needs a line here."""

from collections.abc import Iterator
from typing import Any, Final, LiteralString

import psycopg
import pytest

from immuni.deployment.databases import AnalyticsDatabase, PortalDatabase, ServicesDatabase

_QUEUE: Final = "INSERT SELECT UPDATE DELETE TRUNCATE"
_JOBS_TABLES: Final = (
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
)
ALLOWED: Final[dict[tuple[str, str], str]] = {
    ("immuni_configuration", "configuration.version"): "SELECT",
    ("immuni_configuration", "configuration.entry"): "SELECT",
    (
        "immuni_settings_author",
        "configuration.version",
    ): "INSERT(author,number,published_at,reason) SELECT",
    ("immuni_settings_author", "configuration.entry"): "INSERT SELECT",
    ("immuni_otp", "configuration.service_end"): "SELECT",
    ("immuni_ingestion", "configuration.service_end"): "SELECT",
    ("immuni_jobs", "configuration.service_end"): "SELECT",
    ("immuni_analytics", "analytics.service_end"): "SELECT UPDATE(ends_on)",
    ("immuni_otp", "ingestion.otp"): "INSERT SELECT(expires_at,key_id,keyed_hash,request_digest)",
    ("immuni_ingestion", "ingestion.otp"): "SELECT UPDATE(checked,expires_at,redeemed_digest)",
    (
        "immuni_ingestion",
        "ingestion.upload",
    ): "INSERT(last_end,onset_on,packed_keys,received_on,tested_on)",
    ("immuni_ingestion", "ingestion.outbox"): "INSERT(key_id,received_on,sealed)",
    ("immuni_reporting", "publishing.chunk"): "SELECT",
    ("immuni_jobs", "ingestion.otp"): "SELECT(expires_at,id) DELETE",
    ("immuni_jobs", "ingestion.upload"): "INSERT SELECT UPDATE DELETE",
    ("immuni_jobs", "ingestion.outbox"): "SELECT DELETE",
    ("immuni_jobs", "publishing.chunk"): "INSERT SELECT DELETE",
    ("immuni_jobs", "publishing.key"): "INSERT SELECT DELETE",
    ("immuni_jobs", "publishing.progress"): "SELECT UPDATE",
    **{("immuni_jobs", f"jobs.{table}"): _QUEUE for table in _JOBS_TABLES},
    ("immuni_analytics", "analytics.epidemiological_info"): "INSERT SELECT DELETE",
    ("immuni_analytics", "analytics.operational_info"): "INSERT SELECT DELETE",
    ("immuni_analytics", "analytics.received"): "INSERT SELECT DELETE",
    ("immuni_portal", "public.authority"): "SELECT",
    ("immuni_portal", "public.organisation"): "INSERT SELECT",
    ("immuni_portal", "public.audit_event"): "INSERT SELECT",
    ("immuni_portal", "public.operator_account"): "INSERT SELECT UPDATE",
    ("immuni_portal", "public.session"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.known_browser"): "INSERT SELECT UPDATE DELETE",
}
"""What each login may do; whatever is not said is refused."""
HOMES: Final = {
    "immuni_configuration": "immuni",
    "immuni_settings_author": "immuni",
    "immuni_otp": "immuni",
    "immuni_ingestion": "immuni",
    "immuni_reporting": "immuni",
    "immuni_jobs": "immuni",
    "immuni_analytics": "immuni_analytics",
    "immuni_portal": "immuni_portal",
}
"""The one database of ours into which each login gets."""
_TABLES: Final[LiteralString] = """
    SELECT n.nspname || '.' || c.relname, c.oid FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_COLUMNS: Final[LiteralString] = """
    SELECT coalesce(string_agg(attname, ',' ORDER BY attname), '') FROM pg_attribute
    WHERE attrelid = %(table)s AND attnum > 0 AND NOT attisdropped
      AND has_column_privilege(%(role)s, attrelid, attnum, %(right)s)
"""


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


def rights(connection: psycopg.Connection[Any], role: str, table: int) -> str:
    """Return what a role may do with a table, its columns only where they are not all."""
    found = []
    for right in ("INSERT", "SELECT", "UPDATE", "DELETE", "TRUNCATE"):
        if value(
            connection,
            "SELECT has_table_privilege(%(role)s, %(table)s::oid, %(right)s)",
            role=role,
            table=table,
            right=right,
        ):
            found.append(right)
        elif right in {"INSERT", "SELECT", "UPDATE"} and (
            columns := value(connection, _COLUMNS, role=role, table=table, right=right)
        ):
            found.append(f"{right}({columns})")
    return " ".join(found)


def test_each_role_may_do_with_each_table_what_is_said_here(urls: list[str]) -> None:
    found: dict[tuple[str, str], str] = {}
    tables: set[str] = set()
    for url in urls:
        with psycopg.connect(url) as connection:
            for table, oid in connection.execute(_TABLES).fetchall():
                tables.add(table)
                for role in HOMES:
                    if may := rights(connection, role, oid):
                        found[role, table] = may

    assert found == ALLOWED
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


def test_a_column_or_table_that_was_opened_by_mistake_is_noticed(urls: list[str]) -> None:
    with psycopg.connect(urls[0]) as connection:
        connection.execute("GRANT SELECT (onset_on) ON ingestion.otp TO immuni_reporting")
        oid = value(connection, "SELECT 'ingestion.otp'::regclass::oid")
        assert rights(connection, "immuni_reporting", oid) == "SELECT(onset_on)"
        connection.rollback()
