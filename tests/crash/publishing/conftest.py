"""Countries, on the run's database or on one that may be stopped."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from immuni.deployment.databases import ServicesDatabase
from tests.crash.publishing.country import Country, running_publishers
from tests.publishing import Press


@pytest.fixture(scope="session")
def publishers() -> Iterator["subprocess.Popen[bytes]"]:
    """Run the process that forks publishers: to import what they need takes longer than a run."""
    with running_publishers() as process:
        yield process


@pytest.fixture
def country(
    tmp_path: Path, services_database: ServicesDatabase, publishers: "subprocess.Popen[bytes]"
) -> Country:
    """Found a country whose database stays."""
    return Country(Press(tmp_path, services_database), publishers)


@pytest.fixture
def fragile_country(
    tmp_path: Path, fragile_database: ServicesDatabase, publishers: "subprocess.Popen[bytes]"
) -> Country:
    """Found a country whose database may be stopped."""
    return Country(Press(tmp_path, fragile_database), publishers)
