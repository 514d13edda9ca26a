"""Bluetooth switched off on a Linux device, from the kernel's switch to the App's home screen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from immuni.app.phone import Phone
from immuni.app.status import ServiceIssue
from immuni.app.storage import AppStore
from immuni.ble import ReopeningRadio, open_adapter
from immuni.clock import SystemClock
from immuni.device import (
    Device,
    DeviceClient,
    DeviceFolder,
    RemoteFramework,
    ServiceManager,
    is_bluetooth_on,
    open_device,
)
from immuni.entropy import SeededEntropy
from immuni.framework import FileKeyStore
from tests.integration.app.browser import browsing, heading
from tests.integration.app.world import CHIETI, World
from tests.integration.ble.adapters import Adapters

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 60
ADAPTER = "adapter"


@pytest.fixture
def switch(tmp_path: Path) -> Path:
    """Return the switch of the device's adapter, as the kernel shows it: on."""
    switch = tmp_path / "rfkill" / "rfkill0"
    switch.mkdir(parents=True)
    for name, value in {"type": "bluetooth", "name": "hci0", "soft": "0", "hard": "0"}.items():
        (switch / name).write_text(value + "\n")
    return switch


@pytest.fixture
async def adapters() -> AsyncIterator[Adapters]:
    adapters = Adapters()
    await adapters.plug_in(ADAPTER)
    yield adapters
    adapters.close()


@asynccontextmanager
async def installed(world: World, adapters: Adapters, switch: Path) -> AsyncIterator[Phone]:
    """Run a daemon on an adapter, and lend the App that reaches it through its socket."""

    def unexpected(fault: BaseException) -> None:
        raise fault

    clock, entropy = SystemClock(), SeededEntropy("device")
    address = adapters.address(ADAPTER)
    # The name of a socket has at most 107 bytes; folders of tests may have longer ones.
    with TemporaryDirectory() as name:
        folder = DeviceFolder(Path(name) / "device")
        device = Device(
            folder=folder,
            radio=ReopeningRadio(partial(open_adapter, address, clock)),
            verification_keys=[world.signer.verification_key],
            clock=clock,
            entropy=entropy,
            service_manager=ServiceManager(None),
            bluetooth_is_on=partial(is_bluetooth_on, switch.parent, adapter="hci0"),
            look_period=timedelta(milliseconds=50),
            on_fault=unexpected,
            on_change=lambda _words: None,
        )
        async with open_device(device):
            phone = Phone(
                build=world.build(),
                framework=RemoteFramework(DeviceClient(folder.socket)),
                store=AppStore.open(
                    folder.path / "app.db", FileKeyStore(folder.path / "app.key"), entropy=entropy
                ),
                clock=clock,
                entropy=entropy,
            )
            yield phone
            await phone.close()


async def until(phone: Phone, fact: Callable[[], bool]) -> None:
    framework = phone._framework
    assert isinstance(framework, RemoteFramework)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await framework.refresh()
        while not fact():
            await asyncio.sleep(0.02)
            await framework.refresh()


@pytest.mark.parametrize("kind", ["soft", "hard"])
async def test_a_switch_that_is_turned_shows_on_the_home_screen_and_takes_the_radio_off_the_air(
    world: World, adapters: Adapters, switch: Path, kind: str
) -> None:
    def is_on_the_air() -> bool:
        dongle = adapters.port(ADAPTER).dongle
        return dongle is not None and dongle.advertises

    async with installed(world, adapters, switch) as phone, browsing(phone) as browser:
        await phone.set_up(CHIETI)
        await until(phone, lambda: phone.status().active and is_on_the_air())

        (switch / kind).write_text("1\n")
        await until(phone, lambda: phone.status().issues == (ServiceIssue.BLUETOOTH_OFF,))
        page = await browser.get("/")
        assert heading(page.text) == "Immuni needs you for a moment"
        assert "Bluetooth is off. Please switch it on." in page.text
        assert not is_on_the_air()

        (switch / kind).write_text("0\n")
        await until(phone, lambda: phone.status().active and is_on_the_air())
