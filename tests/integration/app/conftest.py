import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from immuni.app.phone import Phone
from tests.integration.app.servers import Servers
from tests.integration.app.serving import listening
from tests.integration.app.world import START, World, live_two_days


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
    return asyncio.run(live_two_days(tmp_path_factory.mktemp("two-days")))


@pytest.fixture
async def met(world: World, two_days: World) -> tuple[Phone, Phone]:
    """Return two phones that were near each other on the day of `START`, two days later."""
    shutil.copytree(two_days.folder, world.folder, dirs_exist_ok=True)
    world.clock.advance(two_days.clock.now() - world.clock.now())
    world.servers.now = world.clock.now()
    return await world.add("alice"), await world.add("bruno")
