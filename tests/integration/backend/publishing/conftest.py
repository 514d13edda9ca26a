"""A press on a fresh database."""

from pathlib import Path

import pytest

from immuni.deployment.databases import ServicesDatabase
from tests.publishing import Press


@pytest.fixture
def press(tmp_path: Path, services_database: ServicesDatabase) -> Press:
    """Set up a press."""
    return Press(tmp_path, services_database)
