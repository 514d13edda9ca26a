from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.framework.phones import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    await world.close()
