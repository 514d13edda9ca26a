"""One real PostgreSQL for the whole test run, and copies of its migrated databases.

The server belongs to the process that controls the run; pytest-xdist's workers ask it over a
socket. It starts when the first test needs it, and each set of migrations is applied once.
"""

import dataclasses
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Final, TypeVar, cast

import psycopg
from psycopg import sql

from immuni.deployment.databases import (
    AnalyticsDatabase,
    PortalDatabase,
    ServicesDatabase,
    prepare_analytics_database,
    prepare_portal_database,
    prepare_services_database,
    relocate,
)
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from tests.memory import temporary_files_are_in_memory

# Nothing here has to outlive the run.
_SETTINGS: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    # Every database that is dropped has all buffers looked through.
    "shared_buffers": "128MB",
    # Guessing passwords is to be slow; each of the many connections of the run would be as well.
    "scram_iterations": "1",
}
_PREPARATIONS: Final = {
    ServicesDatabase: prepare_services_database,
    AnalyticsDatabase: prepare_analytics_database,
    PortalDatabase: prepare_portal_database,
}
# Copying files is the fastest in memory; on a disk they would have to be written out before.
_STRATEGY: Final = sql.SQL("FILE_COPY" if temporary_files_are_in_memory() else "WAL_LOG")
_STOP: Final = "stop"
_ADMIN: Final = "admin"

Database = TypeVar("Database", ServicesDatabase, AnalyticsDatabase, PortalDatabase)


class PostgresKeeper:
    """Owns the server: starts it, and prepares a template, when it is first asked to."""

    def __init__(self) -> None:
        # The path of a socket is short: pytest's own folders are not.
        self._folder = Path(tempfile.mkdtemp(prefix="immuni-tests-"))
        self._postgres = EmbeddedPostgres(self._folder / "postgres", settings=_SETTINGS)
        self._answers: dict[object, object] = {}
        self.address = str(self._folder / "keeper")
        self._listener = Listener(self.address, family="AF_UNIX")
        self._thread = threading.Thread(target=self._listen, name="postgres-keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the server and remove all its traces."""
        with Client(self.address, family="AF_UNIX") as client:
            client.send(_STOP)
        self._thread.join()
        self._listener.close()
        self._postgres.stop()
        shutil.rmtree(self._folder)

    def _listen(self) -> None:
        while True:
            with self._listener.accept() as worker:
                question = worker.recv()
                if question == _STOP:
                    return
                self._answer(worker, question)

    def _answer(self, worker: Connection, question: object) -> None:
        try:
            if question not in self._answers:
                self._answers[question] = self._prepare(question)
            worker.send(self._answers[question])
        except Exception as error:  # noqa: BLE001 - whatever it is, the test that asked has to fail
            worker.send(RuntimeError(f"{type(error).__name__}: {error}"))

    def _prepare(self, question: object) -> object:
        if question == _ADMIN:
            return self._start()
        if _ADMIN not in self._answers:
            self._answers[_ADMIN] = self._start()
        admin_url = cast("str", self._answers[_ADMIN])
        prepare = _PREPARATIONS[cast("type[ServicesDatabase]", question)]
        return prepare(admin_url, self._folder / "secrets")

    def _start(self) -> str:
        admin_url = self._postgres.start()
        # The superuser's password was kept before there were settings.
        password = psycopg.conninfo.conninfo_to_dict(admin_url)["password"]
        with psycopg.connect(admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE CURRENT_USER PASSWORD {}").format(password))
        return admin_url


class Postgres:
    """What a test process knows of the server: how to ask the keeper."""

    def __init__(self, keeper_address: str) -> None:
        self._address = keeper_address

    def admin_url(self) -> str:
        """Return the superuser's URL."""
        return cast("str", self._ask(_ADMIN))

    @contextmanager
    def copy_of(self, kind: type[Database]) -> Iterator[Database]:
        """Lend a copy of one of the migrated databases."""
        template = cast("Database", self._ask(kind))
        with self._database(template=_name(template.owner)) as name:
            urls = {
                field.name: relocate(getattr(template, field.name), dbname=name)
                for field in dataclasses.fields(template)
            }
            yield kind(**urls)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Lend an empty database."""
        with self._database(template="template0") as name:
            yield relocate(self.admin_url(), dbname=name)

    @contextmanager
    def _database(self, *, template: str) -> Iterator[str]:
        name = f"test_{uuid.uuid4().hex}"
        database, source = sql.Identifier(name), sql.Identifier(template)
        with psycopg.connect(self.admin_url(), autocommit=True) as connection:
            create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
            connection.execute(create.format(database, source, _STRATEGY))
            try:
                yield name
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))

    def _ask(self, question: object) -> object:
        with Client(self._address, family="AF_UNIX") as keeper:
            keeper.send(question)
            answer = keeper.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _name(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
