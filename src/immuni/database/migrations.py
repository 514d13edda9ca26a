"""Migrations: numbered steps in plain SQL, applied in one transaction by Alembic.

Layout:
    A set of migrations is a package with a folder ``versions`` of modules ``v0001_….py``. Each
    has `revision`, `down_revision` and ``upgrade()``, which calls `execute_sql`. There is no way
    down: going back is restoring a backup.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from alembic import command, op
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util.exc import CommandError
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from immuni.database.errors import (
    DatabaseUnreachableError,
    MigrationFailedError,
    MigrationInProgressError,
    SchemaTooNewError,
)

# Any constant does: PostgreSQL keeps these locks apart by database.
_ADVISORY_LOCK: Final = 0x696D6D756E69
_CONNECT_SECONDS: Final = 5
_LOCK_SECONDS: Final = 60


def migrate(url: str, package: str) -> None:
    """Apply the migrations of `package` that the database does not have yet, all or none.

    Two processes may do so at once: the second waits for the first.

    Args:
        url: The database as its owner, connected directly: a pooler cannot hold the lock.
        package: The dotted name of a migrations package.

    Raises:
        DatabaseUnreachableError: The database does not answer, or refuses the login.
        MigrationFailedError: A migration was refused; nothing was changed.
        MigrationInProgressError: Another process has been migrating for a minute.
        SchemaTooNewError: The database has migrations that this release does not know.
    """
    # Alembic is handed a connection of ours: its own URLs know neither sockets nor options.
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: _connect(url), poolclass=NullPool
    )
    with _alone(url), engine.connect() as connection:
        config = Config(attributes={"connection": connection, "version_table": _table(package)})
        config.set_main_option("script_location", "immuni.database:migration_environment")
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", f"{package}:versions")
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            raise MigrationFailedError(f"a migration of {package} failed: {error.orig}") from error
        except CommandError as error:
            if isinstance(error.__cause__, ResolutionError):
                raise SchemaTooNewError(
                    f"the database has a migration of {package} that is not known here: {error}"
                ) from error
            raise


def execute_sql(text: str) -> None:
    """Run `text`, one statement or several, in a migration exactly as it is written."""
    # Without this option a percent sign in the text would be taken for a parameter.
    op.get_bind().execution_options(no_parameters=True).exec_driver_sql(text)


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Hold the lock of whoever migrates this database."""
    with _connect(url, autocommit=True) as connection:
        limit = sql.SQL("SET lock_timeout = {}").format(f"{_LOCK_SECONDS}s")
        connection.execute(limit)
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
        except psycopg.errors.LockNotAvailable as error:
            raise MigrationInProgressError(
                f"another process has been migrating the database for {_LOCK_SECONDS} s"
            ) from error
        yield


def _connect(url: str, *, autocommit: bool = False) -> psycopg.Connection:
    # A migration takes as long as it takes, whatever limit the role has.
    try:
        return psycopg.connect(
            url,
            autocommit=autocommit,
            connect_timeout=_CONNECT_SECONDS,
            application_name="immuni migrations",
            options="-c statement_timeout=0 -c timezone=UTC",
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnreachableError(f"the database does not answer: {error}") from error


def _table(package: str) -> str:
    """Return the name of the table of versions: sets that share a database do not meet."""
    return f"versions_of_{package.replace('.', '_')}"
