"""``immuni device run`` and ``immuni app run`` as processes, from onboarding to a warning."""

import asyncio
import signal
import socket
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import expect

from tests.chromium import chromium
from tests.integration.app.desktop import desktop_on, recording_browser, session_bus
from tests.integration.app.device import PATIENCE_SECONDS, Device, a_device, a_page, onboard
from tests.running import ended

ITALIAN_TITLE: Final = "Potresti aver avuto un contatto a rischio"

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.timeout(240)]


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    async with a_device() as device:
        yield device


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(0.02)


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
            helping = await page.goto(link.partition("/open")[0] + "/support")

    assert warning.title == ITALIAN_TITLE
    assert mode == 0o600
    assert link_again == link
    assert answer is not None
    assert answer.status == 200
    assert helping is not None
    assert helping.status == 200
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
