"""What every test may use."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings

from immuni.deployment.databases import AnalyticsDatabase, PortalDatabase, ServicesDatabase
from tests.memory import keep_temporary_files_in_memory
from tests.postgres import Postgres, PostgresKeeper

# How long an example takes depends on what else the machine does; pytest-timeout ends what hangs.
settings.register_profile("immuni", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("immuni")

# Before anything asks where they go: pytest itself, the database, browsers.
keep_temporary_files_in_memory()

# On a desktop the keys of tests must not end up in the key store of whoever runs them.
os.environ.pop("DBUS_SESSION_BUS_ADDRESS", None)

_KEEPER = pytest.StashKey[PostgresKeeper]()
_WORKER_INPUT = "postgres_keeper"


def pytest_configure(config: pytest.Config) -> None:
    """Have the process that controls the run keep the database server."""
    if not hasattr(config, "workerinput"):
        config.stash[_KEEPER] = PostgresKeeper()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - pytest-xdist is not typed
    """Tell a new worker where the keeper listens."""
    node.workerinput[_WORKER_INPUT] = node.config.stash[_KEEPER].address


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the database server."""
    if _KEEPER in config.stash:
        config.stash[_KEEPER].close()


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio: the database driver and the Bluetooth stack need it."""
    return "asyncio"


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """Forget how a test, or the command that it ran, set up the logs of this process."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """Return the way to the run's database server."""
    if _KEEPER in pytestconfig.stash:
        return Postgres(pytestconfig.stash[_KEEPER].address)
    return Postgres(getattr(pytestconfig, "workerinput")[_WORKER_INPUT])  # noqa: B009 - not typed


@pytest.fixture(scope="session")
def postgres_admin_url(postgres: Postgres) -> str:
    """Return the URL of the server's superuser."""
    return postgres.admin_url()


@pytest.fixture
def services_database(postgres: Postgres) -> Iterator[ServicesDatabase]:
    """Lend a fresh database of the services."""
    with postgres.copy_of(ServicesDatabase) as database:
        yield database


@pytest.fixture
def analytics_database(postgres: Postgres) -> Iterator[AnalyticsDatabase]:
    """Lend a fresh database of the Analytics Service."""
    with postgres.copy_of(AnalyticsDatabase) as database:
        yield database


@pytest.fixture
def portal_database(postgres: Postgres) -> Iterator[PortalDatabase]:
    """Lend a fresh database of the HIS portal."""
    with postgres.copy_of(PortalDatabase) as database:
        yield database


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """Lend the URL, as its owner, of an empty database."""
    with postgres.empty() as url:
        yield url
