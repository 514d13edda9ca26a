"""``immuni device run`` as a process, with an adapter at the end of a TCP socket."""

import asyncio
import json
import os
import resource
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from immuni.device import DeviceClient, DeviceFolder
from immuni.framework import InactiveReason, Status
from tests.integration.ble.adapters import Adapters
from tests.running import immuni

ADAPTER: Final = "adapter"
KEY: Final = Path("tests/vectors/files/sample_310-v1.pem")
PATIENCE_SECONDS: Final = 60

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Daemon:
    """A daemon that has told its service manager that it is ready."""

    process: asyncio.subprocess.Process
    folder: Path

    @property
    def client(self) -> DeviceClient:
        return DeviceClient(DeviceFolder(self.folder).socket)

    async def ended_by(self, wanted: signal.Signals) -> int:
        """Send it a signal, and return its exit code."""
        self.process.send_signal(wanted)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    # The name of a socket has at most 107 bytes; folders of tests may have longer ones.
    with TemporaryDirectory() as folder:
        yield Path(folder) / "device"


@pytest.fixture
async def adapters() -> AsyncIterator[Adapters]:
    adapters = Adapters()
    await adapters.plug_in(ADAPTER)
    yield adapters
    adapters.close()


def command(folder: Path, adapters: Adapters) -> list[str]:
    adapter = adapters.address(ADAPTER)
    return immuni(
        "device", "run", "--data-dir", folder, "--adapter", adapter, "--verification-key", KEY
    )


@asynccontextmanager
async def running(folder: Path, adapters: Adapters) -> AsyncIterator[Daemon]:
    """Run a daemon; at the end it is killed, if it still lives."""
    manager = folder.parent / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(manager))
        notified.settimeout(0)
        process = await asyncio.create_subprocess_exec(
            *command(folder, adapters), env=os.environ | {"NOTIFY_SOCKET": str(manager)}
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while b"READY=1" not in await asyncio.get_running_loop().sock_recv(notified, 1000):
                    pass
            yield Daemon(process, folder)
        finally:
            manager.unlink()
            if process.returncode is None:
                process.kill()
                await process.wait()


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.02)


async def switch_on(daemon: Daemon) -> None:
    await daemon.client.authorise()
    await daemon.client.start()


async def status_told(folder: Path) -> tuple[int, dict[str, object]]:
    """Return exit code and answer of ``immuni device status --json``."""
    process = await asyncio.create_subprocess_exec(
        *immuni("device", "status", "--data-dir", folder, "--json"),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return process.returncode or 0, json.loads(told)


async def test_a_device_broadcasts_once_its_user_agrees_and_falls_silent_at_the_end(
    folder: Path, adapters: Adapters
) -> None:
    async with running(folder, adapters) as daemon:
        code, told = await status_told(folder)
        assert (code, told["active"]) == (1, False)
        assert told["reasons"] == ["not_started", "permission_missing"]
        assert adapters.link.pdus == []

        await switch_on(daemon)
        await eventually(lambda: bool(adapters.link.pdus))
        code, told = await status_told(folder)
        assert (code, told["active"], told["reasons"]) == (0, True, [])

        assert await daemon.ended_by(signal.SIGTERM) == 0

    dongle = adapters.port(ADAPTER).dongle
    assert dongle is not None
    assert not dongle.advertises
    assert not DeviceFolder(folder).socket.exists()


async def test_a_daemon_leaves_no_core_file_with_its_keys(folder: Path, adapters: Adapters) -> None:
    async with running(folder, adapters) as daemon:
        assert resource.prlimit(daemon.process.pid, resource.RLIMIT_CORE) == (0, 0)


async def test_a_killed_daemon_goes_on_with_its_switches_and_never_mixes_two_identities(
    folder: Path, adapters: Adapters
) -> None:
    async with running(folder, adapters) as daemon:
        await switch_on(daemon)
        await eventually(lambda: bool(adapters.link.pdus))
        await daemon.ended_by(signal.SIGKILL)
    before = len(adapters.link.pdus)

    async with running(folder, adapters) as daemon:
        await eventually(lambda: len(adapters.link.pdus) > before)
        assert (await daemon.client.status()).active

    addresses = {pdu.address for pdu in adapters.link.pdus}
    data = {pdu.data for pdu in adapters.link.pdus}
    pairs = {(pdu.address, pdu.data) for pdu in adapters.link.pdus}
    assert len(pairs) == len(addresses) == len(data)


async def test_a_device_without_its_adapter_lives_and_says_so(
    folder: Path, adapters: Adapters
) -> None:
    adapters.unplug(ADAPTER)

    async with running(folder, adapters) as daemon:
        await switch_on(daemon)
        status: Status = await daemon.client.status()

    assert InactiveReason.RADIO_LOST in status.reasons


async def test_a_second_daemon_on_the_same_data_is_refused(
    folder: Path, adapters: Adapters
) -> None:
    async with running(folder, adapters) as daemon:
        code, complaint = await refusal(folder, adapters)
        assert code == 1
        assert complaint == "immuni: another process has the database open\n"
        assert not (await daemon.client.status()).active


async def test_a_damaged_database_is_told_and_repaired(folder: Path, adapters: Adapters) -> None:
    async with running(folder, adapters) as daemon:
        await switch_on(daemon)
        await daemon.ended_by(signal.SIGTERM)
    database = folder / "framework.db"
    database.write_bytes(database.read_bytes()[:6000])

    code, complaint = await refusal(folder, adapters)
    assert code == 1
    assert complaint.count("\n") == 1
    repair = await asyncio.create_subprocess_exec(
        *immuni("device", "repair", "--data-dir", folder, "--json"), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await repair.communicate()

    assert json.loads(told).keys() == {"kept", "damaged", "set_aside"}
    assert json.loads(told)["set_aside"] in files_of(folder)
    async with running(folder, adapters) as daemon:
        await daemon.client.status()


def files_of(folder: Path) -> list[str]:
    return [str(path) for path in folder.iterdir()]


async def refusal(folder: Path, adapters: Adapters) -> tuple[int, str]:
    """Return exit code and complaint of a daemon that does not start."""
    process = await asyncio.create_subprocess_exec(
        *command(folder, adapters), stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, complaint = await process.communicate()
    return process.returncode or 0, complaint.decode()
