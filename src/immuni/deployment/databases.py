"""The three databases and the login roles of the services, made ready before anything starts.

Each service logs in as a role of its own, which may do what its migrations grant and nothing else.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from immuni.database import DatabaseError, DatabaseUnreachableError
from immuni.database.migrations import migrate
from immuni.deployment.private_files import make_private_folder, write_private

_PASSWORD_BYTES: Final = 24
_CONNECT_SECONDS: Final = 5
# Any constant does: it keeps apart two processes that prepare one server.
_ADVISORY_LOCK: Final = 0x726F6C6573
_ROLE_SETTINGS: Final[Mapping[str, str]] = {
    "timezone": "UTC",
    # The limits of last resort: behind a pooler a connection cannot bring its own.
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
}
# The job library names its tables without a schema.
_SEARCH_PATHS: Final[Mapping[str, Sequence[str]]] = {"jobs": ["jobs", "public"]}


class DatabaseRightsError(DatabaseError, PermissionError):
    """The admin's login may not do what preparing the databases takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesDatabase:
    """The URLs of the services' database, one for each role."""

    owner: str = field(repr=False)
    configuration: str = field(repr=False)
    settings_author: str = field(repr=False)
    otp: str = field(repr=False)
    ingestion: str = field(repr=False)
    reporting: str = field(repr=False)
    jobs: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsDatabase:
    """The URLs of the Analytics Service's database."""

    owner: str = field(repr=False)
    analytics: str = field(repr=False)
    dashboard: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalDatabase:
    """The URLs of the HIS portal's database."""

    owner: str = field(repr=False)
    portal: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Databases:
    """All of them."""

    services: ServicesDatabase
    analytics: AnalyticsDatabase
    portal: PortalDatabase


def prepare_databases(admin_url: str, secrets_folder: Path) -> Databases:
    """Create what is missing of databases and roles, and apply the pending migrations.

    Args:
        admin_url: A login that may create databases and roles; it comes to own the databases.
            It leads to the server itself, not to a pooler.
        secrets_folder: Where the roles' passwords are kept. A role whose password is lost
            there gets a new one.

    Raises:
        DatabaseRightsError: The login's rights do not suffice.
        DatabaseUnreachableError: The server does not answer, or refuses the login.
        DatabaseError: A migration cannot be applied.
    """
    return Databases(
        services=prepare_services_database(admin_url, secrets_folder),
        analytics=prepare_analytics_database(admin_url, secrets_folder),
        portal=prepare_portal_database(admin_url, secrets_folder),
    )


def prepare_services_database(admin_url: str, secrets_folder: Path) -> ServicesDatabase:
    """Do for the services' database what `prepare_databases` does for all."""
    roles = ("configuration", "settings_author", "otp", "ingestion", "reporting", "jobs")
    urls = _prepare(admin_url, secrets_folder, database="immuni", roles=roles)
    migrate(urls["owner"], "immuni.backend.migrations.services")
    return ServicesDatabase(**urls)


def prepare_analytics_database(admin_url: str, secrets_folder: Path) -> AnalyticsDatabase:
    """Do for the Analytics Service's database what `prepare_databases` does for all."""
    roles = ("analytics", "dashboard")
    urls = _prepare(admin_url, secrets_folder, database="immuni_analytics", roles=roles)
    migrate(urls["owner"], "immuni.backend.migrations.analytics")
    return AnalyticsDatabase(**urls)


def prepare_portal_database(admin_url: str, secrets_folder: Path) -> PortalDatabase:
    """Do for the portal's database what `prepare_databases` does for all."""
    urls = _prepare(admin_url, secrets_folder, database="immuni_portal", roles=("portal",))
    migrate(urls["owner"], "immuni.portal.migrations")
    return PortalDatabase(**urls)


def is_database_url(text: str) -> bool:
    """Tell whether PostgreSQL would understand `text` as a URL."""
    try:
        conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        return False
    return text.startswith(("postgresql://", "postgres://"))


def relocate(url: str, **parameters: str) -> str:
    """Return `url` with other connection parameters (``dbname``, ``user``, ``password`` …)."""
    merged = {name: str(value) for name, value in conninfo_to_dict(url).items()} | parameters
    login = quote(merged.pop("user", ""), safe="")
    if password := merged.pop("password", ""):
        login = f"{login}:{quote(password, safe='')}"
    database = quote(merged.pop("dbname", ""), safe="")
    return f"postgresql://{login}@/{database}?{urlencode(merged, quote_via=quote, safe='')}"


def _prepare(
    admin_url: str, secrets_folder: Path, *, database: str, roles: Sequence[str]
) -> dict[str, str]:
    """Create a database and its roles, and return their URLs and the owner's."""
    make_private_folder(secrets_folder)
    urls = {"owner": relocate(admin_url, dbname=database)}
    with _admin(admin_url) as connection:
        for role in roles:
            login = f"immuni_{role}"
            password = _password(secrets_folder / f"{login}.password")
            _ensure_role(
                connection, login, password, search_path=_SEARCH_PATHS.get(role, ["public"])
            )
            urls[role] = relocate(admin_url, dbname=database, user=login, password=password)
        _ensure_database(connection, database, [f"immuni_{role}" for role in roles])
    return urls


@contextmanager
def _admin(admin_url: str) -> Iterator[psycopg.Connection]:
    """Connect as the admin, alone."""
    try:
        connection = psycopg.connect(admin_url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachableError(f"the database does not answer: {error}") from error
    with connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseRightsError(
                f"the login {connection.info.user} cannot prepare the databases ({error}): "
                "it needs CREATEDB and CREATEROLE, and ADMIN on roles that others created"
            ) from error


def _ensure_role(
    connection: psycopg.Connection, name: str, password: str, *, search_path: Sequence[str]
) -> None:
    """Create or update a role that may log in with `password` and nothing else by itself."""
    role = sql.Identifier(name)
    # The server, and so its log, gets to see a hash only.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("CREATE ROLE" if known is None else "ALTER ROLE")
    connection.execute(sql.SQL("{} {} LOGIN PASSWORD {}").format(verb, role, verifier))
    for setting, value in _ROLE_SETTINGS.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(setting), value)
        )
    path = sql.SQL(", ").join(map(sql.Identifier, search_path))
    connection.execute(sql.SQL("ALTER ROLE {} SET search_path = {}").format(role, path))


def _ensure_database(connection: psycopg.Connection, name: str, logins: Sequence[str]) -> None:
    """Create a database into which only its own roles may log in."""
    database = sql.Identifier(name)
    known = connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone()
    if known is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(database)
        )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            database, sql.SQL(", ").join(map(sql.Identifier, logins))
        )
    )


def _password(path: Path) -> str:
    """Return the password kept in `path`, made up when there is none."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(_PASSWORD_BYTES).encode())
    return path.read_text()
