"""A database server that may be stopped."""

from collections.abc import Iterator

import pytest

from immuni.deployment.databases import ServicesDatabase
from tests.crash.fragile_postgres import FragilePostgres


@pytest.fixture(scope="session")
def fragile_postgres() -> Iterator[FragilePostgres]:
    """Run a server that nobody else uses."""
    with FragilePostgres() as server:
        yield server


@pytest.fixture
def fragile_database(fragile_postgres: FragilePostgres) -> Iterator[ServicesDatabase]:
    """Lend a fresh database of that server."""
    with fragile_postgres.copy() as database:
        yield database
