"""A machine on which daemon and App of a Linux device are installed, as processes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import Browser, Page, expect

from immuni.clock import SystemClock
from immuni.deployment.ports import free_block
from immuni.entropy import SystemEntropy
from tests.integration.app.servers import SETTINGS_KEY_ID, Servers
from tests.integration.app.serving import listening
from tests.integration.app.world import World, uploaded_keys
from tests.integration.ble.adapters import Adapters
from tests.running import immuni

PATIENCE_SECONDS: Final = 90
ADAPTER: Final = "adapter"


@dataclass(frozen=True)
class Device:
    """A machine on which daemon and App are installed.

    Attributes:
        folder: Where both keep what they have.
        servers: Whom the App asks.
        settings: The App's, as variables.
        pids: Of the processes that run, by their name.
    """

    folder: Path
    servers: Servers
    settings: Mapping[str, str]
    adapters: Adapters = field(default_factory=Adapters)
    pids: dict[str, int] = field(default_factory=dict)

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
        self.pids["daemon"] = process.pid
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
        self.pids["app"] = process.pid
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


@asynccontextmanager
async def a_device() -> AsyncIterator[Device]:
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
