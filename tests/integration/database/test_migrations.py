import importlib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from immuni.database import (
    DatabaseUnreachableError,
    MigrationFailedError,
    SchemaTooNewError,
)
from immuni.database.migrations import migrate
from immuni.deployment.databases import relocate

MIGRATION = """
from immuni.database.migrations import execute_sql

revision = {revision!r}
down_revision = {down_revision!r}


def upgrade() -> None:
    execute_sql({sql!r})
"""

Package = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Make packages of migrations: each text of SQL is one of them."""
    monkeypatch.syspath_prepend(tmp_path)
    made: set[str] = set()

    def make(name: str, *texts: str) -> str:
        versions = tmp_path / name / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "__init__.py").touch()
        for number, sql in enumerate(texts, start=1):
            below = f"{number - 1:04}" if number > 1 else None
            source = MIGRATION.format(revision=f"{number:04}", down_revision=below, sql=sql)
            (versions / f"v{number:04}_step.py").write_text(source)
        importlib.invalidate_caches()
        made.add(name)
        return name

    yield make
    for name in made:
        sys.modules.pop(name, None)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def test_pending_migrations_are_applied_in_order_and_once(
    empty_database: str, package: Package
) -> None:
    steps = ["CREATE TABLE log (step int)", "INSERT INTO log VALUES (2)"]
    migrate(empty_database, package("release", *steps))

    migrate(empty_database, package("release", *steps, "INSERT INTO log VALUES (3)"))

    assert rows(empty_database, "SELECT step FROM log ORDER BY step") == [(2,), (3,)]


def test_sql_runs_exactly_as_it_is_written(empty_database: str, package: Package) -> None:
    text = "CREATE TABLE kept (value text); INSERT INTO kept VALUES ('100 %s :name %(x)s \\ %%');"

    migrate(empty_database, package("literal", text))

    assert rows(empty_database, "SELECT value FROM kept") == [("100 %s :name %(x)s \\ %%",)]


def test_a_migration_that_fails_takes_back_those_before_it(
    empty_database: str, package: Package
) -> None:
    broken = package("broken", "CREATE TABLE made (value int)", "SELECT 1 / 0")

    with pytest.raises(MigrationFailedError, match="division by zero"):
        migrate(empty_database, broken)

    assert rows(empty_database, "SELECT to_regclass('made')") == [(None,)]


def test_two_processes_may_migrate_at_once(empty_database: str, package: Package) -> None:
    name = package("contended", "CREATE TABLE log (step int)", "INSERT INTO log VALUES (1)")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: migrate(empty_database, name), range(4)))

    assert rows(empty_database, "SELECT step FROM log") == [(1,)]


def test_a_database_of_a_newer_release_is_left_alone(
    empty_database: str, package: Package, tmp_path: Path
) -> None:
    newer = package("release", "CREATE TABLE made (value int)", "SELECT 1")
    migrate(empty_database, newer)
    (tmp_path / "release" / "versions" / "v0002_step.py").unlink()

    with pytest.raises(SchemaTooNewError, match="0002"):
        migrate(empty_database, newer)


def test_two_sets_in_one_database_do_not_meet(empty_database: str, package: Package) -> None:
    migrate(empty_database, package("one", "CREATE TABLE one (value int)", "SELECT 1"))

    migrate(empty_database, package("other", "CREATE TABLE other (value int)"))

    assert rows(empty_database, "SELECT to_regclass('one'), to_regclass('other')") == [
        ("one", "other")
    ]


def test_a_migration_may_move_the_search_path(empty_database: str, package: Package) -> None:
    moved = package("moved", "CREATE SCHEMA jobs; SET LOCAL search_path TO jobs", "SELECT 1")

    migrate(empty_database, moved)
    migrate(empty_database, moved)

    assert rows(empty_database, "SELECT count(*) FROM versions_of_moved") == [(1,)]


def test_a_refused_login_is_told_as_such(empty_database: str, package: Package) -> None:
    with pytest.raises(DatabaseUnreachableError, match="password authentication failed"):
        migrate(relocate(empty_database, password="wrong"), package("never", "SELECT 1"))
