import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.app.phone import Phone
from tests.integration.app.servers import Servers
from tests.integration.app.serving import listening
from tests.integration.app.world import START, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    servers = Servers(START)
    async with listening(lambda _port: servers.app()) as port:
        world = World(tmp_path, url=f"http://127.0.0.1:{port}", servers=servers)
        yield world
        await world.close()


@pytest.fixture(scope="session")
def two_days(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Let the days of `met` pass once, for they take seconds; both phones are closed."""
    return asyncio.run(_live_two_days(tmp_path_factory.mktemp("two-days")))


async def _live_two_days(folder: Path) -> World:
    servers = Servers(START)
    async with listening(lambda _port: servers.app()) as port:
        world = World(folder, url=f"http://127.0.0.1:{port}", servers=servers)
        for name in ("alice", "bruno"):
            await world.add_ready(name)
        await world.live(timedelta(hours=10))
        await world.meet(timedelta(minutes=30))
        await world.live(timedelta(days=2))
        await world.close()
    return world


@pytest.fixture
async def met(world: World, two_days: World) -> tuple[Phone, Phone]:
    """Return two phones that were near each other on the day of `START`, two days later."""
    shutil.copytree(two_days.folder, world.folder, dirs_exist_ok=True)
    world.clock.advance(two_days.clock.now() - world.clock.now())
    world.servers.now = world.clock.now()
    return await world.add("alice"), await world.add("bruno")
