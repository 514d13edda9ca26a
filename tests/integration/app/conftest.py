from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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
