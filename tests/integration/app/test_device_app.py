"""``immuni device run`` and ``immuni app run`` as processes, from onboarding to a warning."""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Browser, Page, expect

from immuni.clock import SystemClock
from immuni.deployment.ports import free_block
from immuni.entropy import SystemEntropy
from tests.chromium import chromium
from tests.integration.app.desktop import desktop_on, recording_browser, session_bus
from tests.integration.app.servers import SETTINGS_KEY_ID, Servers
from tests.integration.app.serving import listening
from tests.integration.app.world import World, uploaded_keys
from tests.integration.ble.adapters import Adapters
from tests.running import ended, immuni

PATIENCE_SECONDS: Final = 90
ADAPTER: Final = "adapter"
ITALIAN_TITLE: Final = "Potresti aver avuto un contatto a rischio"

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Device:
    """A machine on which daemon and App are installed.

    Attributes:
        folder: Where both keep what they have.
        servers: Whom the App asks.
        settings: The App's, as variables.
    """

    folder: Path
    servers: Servers
    settings: Mapping[str, str]
    adapters: Adapters = field(default_factory=Adapters)

    @asynccontextmanager
    async def daemon(self) -> AsyncIterator[None]:
        """Run the daemon; the App waits for it by itself."""
        await self.adapters.plug_in(ADAPTER)
        command = immuni(
            "device", "run", "--data-dir", self.folder / "device",
            "--adapter", self.adapters.address(ADAPTER),
            "--verification-key", self.folder / "export.pem",
        )  # fmt: skip
        process = await asyncio.create_subprocess_exec(*command)
        try:
            yield
        finally:
            await ended_by(signal.SIGTERM, process)
            self.adapters.close()

    @asynccontextmanager
    async def app(
        self, environment: Mapping[str, str], end: signal.Signals = signal.SIGTERM
    ) -> AsyncIterator[str]:
        """Run the App, and yield the link that it prints; it finds no Bluetooth stack."""
        command = immuni(
            "app", "run", "--data-dir", self.folder / "app", "--device-dir", self.folder / "device"
        )
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **self.settings, **environment, **without("bumble", self.folder)},
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                link = (await process.stdout.readline()).decode().strip()
            yield link
        finally:
            await ended_by(end, process)


def without(package: str, folder: Path) -> dict[str, str]:
    """Return an environment in which a process that imports a package breaks."""
    broken = folder / "broken"
    broken.mkdir(exist_ok=True)
    (broken / f"{package}.py").write_text("raise ImportError(__name__)")
    return {"PYTHONPATH": os.pathsep.join([str(broken), *sys.path])}


async def ended_by(wanted: signal.Signals, process: asyncio.subprocess.Process) -> None:
    process.send_signal(wanted)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await process.wait()


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.02)


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    """Lend a machine that heard, two days ago, somebody whose keys are published now."""
    now = SystemClock().now().replace(microsecond=0)
    servers = Servers(now - timedelta(days=2))
    # The name of a socket has at most 107 bytes; folders of tests may have longer ones.
    with TemporaryDirectory() as name:
        folder = Path(name)
        async with listening(lambda _port: servers.app()) as port:
            url = f"http://127.0.0.1:{port}"
            world = World(folder, url=url, servers=servers)
            await _live_through_the_past(world, until=now)
            yield Device(folder, servers, _settings(folder, servers, url))


async def _live_through_the_past(world: World, *, until: datetime) -> None:
    heard, sick = await world.add_ready("device"), await world.add_ready("sick")
    await world.meet(timedelta(minutes=30))
    await heard.framework.revoke()
    await heard.framework.stop()
    world.pass_over(until - world.clock.now())
    world.publish(1, await uploaded_keys(sick))
    public_key = world.signer.private_key.public_key()
    (world.folder / "export.pem").write_bytes(
        public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    await world.close()
    (world.folder / "device").chmod(0o700)


def _settings(folder: Path, servers: Servers, url: str) -> dict[str, str]:
    keys = folder / "keys"
    keys.mkdir()
    public_key = servers.settings_key.public_key()
    (keys / f"{SETTINGS_KEY_ID}.pem").write_bytes(
        public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return {
        "IMMUNI_APP_GET_URL": url,
        "IMMUNI_APP_UPLOAD_URL": url,
        "IMMUNI_APP_ANALYTICS_URL": url,
        "IMMUNI_APP_SETTINGS_KEYS": str(keys),
        "IMMUNI_APP_PORT": str(free_block(SystemEntropy().below(40_000))),
        "LANG": "it_IT.UTF-8",
    }


async def a_page(browser: Browser) -> Page:
    context = await browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    context.set_default_timeout(20_000)
    return await context.new_page()


async def onboard(page: Page) -> None:
    """Go through the whole onboarding as a user does, until home is reached."""
    heading = page.get_by_role("heading", level=1)
    for _ in range(3):
        await page.get_by_role("link", name="Next").click()
    await page.get_by_role("button", name="Let us begin").click()
    for box in await page.get_by_role("checkbox").all():
        await box.check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("radio", name="Lombardia").check()
    await page.get_by_role("button", name="Continue").click()
    await page.get_by_role("radio", name="Milano").check()
    await page.get_by_role("button", name="Continue").click()
    await page.locator(".step-actions button, .sheet button").last.click()
    while "/onboarding/" in page.url:
        before = await heading.text_content()
        await page.locator(".step-actions button").first.click()
        await expect(heading).not_to_have_text(before or "")


async def test_from_onboarding_to_a_warning_on_the_desktop_and_a_click_on_it(
    device: Device,
) -> None:
    environment, opened = recording_browser(device.folder)
    async with (
        session_bus(device.folder) as bus,
        desktop_on(bus) as desktop,
        chromium() as browser,
        device.daemon(),
    ):
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus
        async with device.app(environment, signal.SIGKILL) as link:
            page = await a_page(browser)
            await page.goto(link)
            await onboard(page)
            await expect(page.get_by_role("heading", level=1)).to_have_text(
                "You may have been exposed", timeout=PATIENCE_SECONDS * 1000
            )
            await eventually(lambda: bool(desktop.shown))
            (warning,) = desktop.shown
            await desktop.click_on(warning)
            await eventually(opened.exists)
            mode = mode_of(Path(opened.read_text()))
            clicked = await a_page(browser)
            await clicked.goto(f"file://{opened.read_text()}")
            await clicked.wait_for_url("**/advice")
        asked = list(device.servers.asked)

        async with device.app(environment) as link_again:
            # The browser that was let in before is still in, and what was told is not told again.
            answer = await page.goto(link.partition("/open")[0] + "/")

    assert warning.title == ITALIAN_TITLE
    assert mode == 0o600
    assert link_again == link
    assert answer is not None
    assert answer.status == 200
    assert device.servers.asked == asked
    assert len(desktop.shown) == 1


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_an_app_that_does_not_run_cannot_be_opened(tmp_path: Path) -> None:
    outcome = ended("app", "open", "--print", "--data-dir", tmp_path / "app")

    assert outcome.returncode == 1
    assert outcome.stdout == ""
    assert "immuni app run" in outcome.stderr


async def test_whoever_took_the_port_has_learned_no_secret_that_still_opens_anything(
    device: Device,
) -> None:
    async with device.app({}):
        before = (device.folder / "app" / "app.secret").read_text()
        second = await asyncio.to_thread(_refused, device)
    with socket.create_server(("127.0.0.1", int(device.settings["IMMUNI_APP_PORT"]))):
        refused = await asyncio.to_thread(_refused, device)

    assert "in use by process" in second
    assert "another program answers on port" in refused
    assert (device.folder / "app" / "app.secret").read_text() != before


def _refused(device: Device) -> str:
    """Return the complaint of an App that does not start."""
    outcome = ended(
        "app", "run", "--data-dir", device.folder / "app", "--device-dir", device.folder / "device",
        **device.settings,
    )  # fmt: skip
    assert outcome.returncode == 1
    return outcome.stderr
