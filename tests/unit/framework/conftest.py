from collections.abc import Iterator
from pathlib import Path

import pytest

from immuni.framework import Store
from tests.unit.framework.phones import open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "phone") as store:
        yield store
