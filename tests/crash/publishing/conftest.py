"""Countries, on the run's database or on one that may be stopped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from immuni.deployment.databases import ServicesDatabase
from tests.crash.publishing.country import Country, country_on


@pytest.fixture
def country(tmp_path: Path, services_database: ServicesDatabase) -> Iterator[Country]:
    """Found a country whose database stays."""
    with country_on(services_database, tmp_path) as founded:
        yield founded


@pytest.fixture
def fragile_country(tmp_path: Path, fragile_database: ServicesDatabase) -> Iterator[Country]:
    """Found a country whose database may be stopped."""
    with country_on(fragile_database, tmp_path) as founded:
        yield founded
