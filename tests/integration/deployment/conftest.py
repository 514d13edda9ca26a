"""One running system for all tests that leave it as they found it."""

from collections.abc import Iterator

import pytest

from tests.running import RunningSystem, running_system


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """Lend a system without phones; whoever breaks a part of it waits until that is mended."""
    folder = tmp_path_factory.mktemp("system")
    with running_system(folder, "--without-phones") as running:
        yield running
