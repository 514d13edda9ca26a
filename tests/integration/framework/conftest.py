from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.framework.chunks import SIGNER
from tests.unit.framework.phones import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    await world.close()


@pytest.fixture
async def met(world: World) -> World:
    """Three phones after three days; A and B met for half an hour on the first."""
    for name in ("A", "B", "C"):
        await world.add_active(name, at_metres=500.0, keys=[SIGNER.verification_key])
    world.air.place("A", 0, 0)
    world.air.place("C", 1000, 0)
    await world.live(timedelta(hours=3))
    world.air.place("B", 0.9, 0.4)
    await world.live(timedelta(minutes=30))
    world.air.place("B", 500, 0)
    await world.live(timedelta(days=3) - timedelta(hours=3, minutes=30))
    return world
