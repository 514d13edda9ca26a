from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from immuni.device import DeviceClient, listening
from immuni.framework import ExposureNotificationFramework
from tests.unit.framework.phones import World


def unexpected(fault: BaseException) -> None:
    """Fail the conversation in which it happens, and the test with it."""
    raise fault


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    yield world
    await world.close()


@pytest.fixture
async def framework(world: World) -> ExposureNotificationFramework:
    return await world.add("phone")


@pytest.fixture
async def client(framework: ExposureNotificationFramework) -> AsyncIterator[DeviceClient]:
    # The name of a socket has at most 107 bytes; folders of tests may have longer ones.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "device.sock"
        async with listening(framework, path, on_fault=unexpected):
            yield DeviceClient(path)
