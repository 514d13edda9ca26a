import dataclasses
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from immuni.database import DatabaseUnreachableError
from immuni.deployment.databases import (
    DatabaseRightsError,
    Databases,
    prepare_databases,
    prepare_portal_database,
    relocate,
)
from immuni.deployment.embedded_postgres import EmbeddedPostgres


@pytest.fixture
def admin_url(tmp_path: Path) -> Iterator[str]:
    """Lend a server of its own: roles and passwords belong to a whole server."""
    server = EmbeddedPostgres(tmp_path / "postgres", settings={"fsync": "off"})
    yield server.start()
    server.stop()


@dataclass(frozen=True)
class Prepared:
    """Databases that several tests look at, and none changes."""

    folder: Path
    admin_url: str
    databases: Databases


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    folder = tmp_path_factory.mktemp("prepared")
    server = EmbeddedPostgres(folder / "postgres", settings={"fsync": "off"})
    url = server.start()
    yield Prepared(folder, url, prepare_databases(url, folder / "secrets"))
    server.stop()


@pytest.fixture
def secrets_folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def role_urls(databases: Databases) -> dict[str, str]:
    return {
        field.name: getattr(part, field.name)
        for part in (databases.services, databases.analytics, databases.portal)
        for field in dataclasses.fields(part)
        if field.name != "owner"
    }


def who_and_where(url: str) -> tuple[object, ...] | None:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT current_user, current_database()").fetchone()


def test_each_role_logs_into_its_own_database_and_no_other(prepared: Prepared) -> None:
    urls = role_urls(prepared.databases)

    homes = dict.fromkeys(urls, "immuni") | {
        "analytics": "immuni_analytics",
        "dashboard": "immuni_analytics",
        "portal": "immuni_portal",
    }
    for role, url in urls.items():
        assert who_and_where(url) == (f"immuni_{role}", homes[role])
        for other in set(homes.values()) - {homes[role]}:
            with pytest.raises(psycopg.OperationalError, match="permission denied"):
                psycopg.connect(relocate(url, dbname=other))


def test_no_role_may_do_what_an_admin_may(prepared: Prepared) -> None:
    with psycopg.connect(prepared.admin_url) as connection:
        powers = connection.execute(
            "SELECT bool_or(rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls)"
            " FROM pg_roles WHERE rolname LIKE 'immuni%'"
        ).fetchone()
    assert powers == (False,)


def test_preparing_again_changes_nothing(admin_url: str, secrets_folder: Path) -> None:
    before = prepare_databases(admin_url, secrets_folder)
    with psycopg.connect(before.portal.owner) as connection:
        connection.execute("CREATE TABLE kept ()")

    after = prepare_databases(admin_url, secrets_folder)

    assert after == before
    with psycopg.connect(after.portal.owner) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == ("kept",)


def test_lost_passwords_are_replaced(admin_url: str, secrets_folder: Path) -> None:
    before = prepare_portal_database(admin_url, secrets_folder)
    for path in secrets_folder.iterdir():
        path.unlink()

    after = prepare_portal_database(admin_url, secrets_folder)

    assert who_and_where(after.portal) == ("immuni_portal", "immuni_portal")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(before.portal)


def test_passwords_are_their_owners_only_and_show_nowhere(prepared: Prepared) -> None:
    secrets_folder = prepared.folder / "secrets"

    assert stat.S_IMODE(secrets_folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets_folder.iterdir()} == {0o600}
    log = (prepared.folder / "postgres" / "server.log").read_text()
    for path in secrets_folder.iterdir():
        assert path.read_text() not in repr(prepared.databases)
        assert path.read_text() not in log


def login(admin_url: str, rights: str) -> str:
    with psycopg.connect(admin_url) as connection:
        connection.execute(f"CREATE ROLE admin LOGIN PASSWORD 'x' {rights}".encode())
    return relocate(admin_url, user="admin", password="x")


def test_an_admin_need_not_be_superuser(admin_url: str, secrets_folder: Path) -> None:
    lesser = login(admin_url, "CREATEDB CREATEROLE")

    databases = prepare_databases(lesser, secrets_folder)
    prepare_databases(lesser, secrets_folder)

    for role, url in role_urls(databases).items():
        answer = who_and_where(url)
        assert answer is not None
        assert answer[0] == f"immuni_{role}"


@pytest.mark.parametrize("rights", ["", "CREATEDB", "CREATEROLE"])
def test_an_admin_whose_rights_do_not_suffice_is_told_which_are_missing(
    admin_url: str, secrets_folder: Path, rights: str
) -> None:
    with pytest.raises(DatabaseRightsError, match="CREATEDB and CREATEROLE"):
        prepare_databases(login(admin_url, rights), secrets_folder)


def test_a_server_that_is_not_there_is_told_as_such(secrets_folder: Path) -> None:
    with pytest.raises(DatabaseUnreachableError):
        prepare_databases("postgresql://admin:secret@127.0.0.1:1/postgres", secrets_folder)


@pytest.mark.parametrize(
    ("url", "moved"),
    [
        (
            "postgresql://admin:s%40fe@db.example:6432/postgres?sslmode=verify-full",
            "postgresql://admin:s%40fe@/immuni?host=db.example&port=6432&sslmode=verify-full",
        ),
        (
            "postgresql://admin@/postgres?host=%2Frun%2Fmy%20sockets",
            "postgresql://admin@/immuni?host=%2Frun%2Fmy%20sockets",
        ),
        (
            "postgresql://admin@one:1,two:2/postgres",
            "postgresql://admin@/immuni?host=one%2Ctwo&port=1%2C2",
        ),
    ],
)
def test_another_database_of_the_same_server_is_reached_the_same_way(url: str, moved: str) -> None:
    assert psycopg.conninfo.conninfo_to_dict(relocate(url, dbname="immuni")) == (
        psycopg.conninfo.conninfo_to_dict(moved)
    )
