"""A PostgreSQL of a test's own, which is stopped in the middle of everything and started again."""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Final, Self

import psycopg
from psycopg import sql

from immuni.deployment.databases import ServicesDatabase, prepare_services_database, relocate
from immuni.deployment.embedded_postgres import EmbeddedPostgres

FAST: Final = signal.SIGINT
"""Its processes are told to end at once; what was not committed is undone."""
IMMEDIATE: Final = signal.SIGQUIT
"""All of them end as if they had crashed; the next start recovers."""
KILLED: Final = signal.SIGKILL
"""The server's main process is gone from one moment to the next."""
WAYS_TO_STOP: Final = (FAST, IMMEDIATE, KILLED)


class FragilePostgres:
    """A server that may be restarted at any moment, with databases to lend."""

    def __init__(self) -> None:
        """Start it, and make a migrated database to copy from."""
        # The path of a socket is short: pytest's own folders are not. The socket keeps its place
        # when the server is started again; a port would not.
        self._folder = Path(tempfile.mkdtemp(prefix="immuni-fragile-"))
        # Processes die here, not the machine: what they wrote is there without a sync.
        settings = {"fsync": "off", "scram_iterations": "1"}
        self._server = EmbeddedPostgres(self._folder / "postgres", settings=settings)
        self._admin_url = self._server.start()
        self._template = prepare_services_database(self._admin_url, self._folder / "secrets")

    def restart(self, way: signal.Signals) -> None:
        """Stop the server, and start it again.

        Args:
            way: One of `WAYS_TO_STOP`.
        """
        pid_file = self._folder / "postgres" / "data" / "postmaster.pid"
        os.kill(int(pid_file.read_text().partition("\n")[0]), way)
        self._server.stop()
        self._server.start()

    @contextmanager
    def copy(self) -> Iterator[ServicesDatabase]:
        """Lend a fresh database of the services."""
        name = f"test_{uuid.uuid4().hex}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE immuni").format(sql.Identifier(name))
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(statement)
        yield ServicesDatabase(
            **{
                field.name: relocate(getattr(self._template, field.name), dbname=name)
                for field in fields(self._template)
            }
        )

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop it and remove all its traces."""
        self._server.stop()
        shutil.rmtree(self._folder)
