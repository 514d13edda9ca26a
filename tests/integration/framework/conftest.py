import asyncio
import shutil
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


@pytest.fixture(scope="session")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Let the days of `met` pass once, for they take seconds; all phones are closed."""
    world = World(tmp_path_factory.mktemp("three-days"))
    asyncio.run(_live_three_days(world))
    return world


async def _live_three_days(world: World) -> None:
    for name in ("A", "B", "C"):
        await world.add_active(name, at_metres=500.0, keys=[SIGNER.verification_key])
    world.air.place("A", 0, 0)
    world.air.place("C", 1000, 0)
    await world.live(timedelta(hours=3))
    world.air.place("B", 0.9, 0.4)
    await world.live(timedelta(minutes=30))
    world.air.place("B", 500, 0)
    await world.live(timedelta(days=3) - timedelta(hours=3, minutes=30))
    await world.close()


@pytest.fixture
async def met(three_days: World, tmp_path: Path) -> AsyncIterator[World]:
    """Three phones after three days; A and B met for half an hour on the first."""
    shutil.copytree(three_days.folder, tmp_path, dirs_exist_ok=True)
    world = World(tmp_path, start=three_days.clock.now())
    world.pdus.extend(three_days.pdus)
    for name, metres in {"A": 0.0, "B": 500.0, "C": 1000.0}.items():
        await world.add(name, at_metres=metres, keys=[SIGNER.verification_key])
    yield world
    await world.close()
