"""Pictures of every screen of the App, from real pages of phones in every state.

``python -m tests.integration.app.pictures FOLDER`` writes them, light and dark, into a folder;
`scripts/app-pictures` those of the documentation.
"""

import argparse
import asyncio
import base64
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Page

from tests.chromium import chromium
from tests.integration.app import walks
from tests.integration.app.servers import Servers
from tests.integration.app.serving import listening
from tests.integration.app.tour import Visitor
from tests.integration.app.world import START, World

QUALITY: Final = 60
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


@dataclass
class Photographer:
    """Takes a picture of whatever is shown, in each colour scheme.

    Attributes:
        folder: Where the pictures go.
    """

    folder: Path

    async def see(self, page: Page, name: str) -> None:
        """Take the pictures of a screen."""
        session = await page.context.new_cdp_session(page)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            # Playwright itself knows no format that is this small.
            shot = await session.send(
                "Page.captureScreenshot", {"format": "webp", "quality": QUALITY}
            )
            (self.folder / f"{name}-{scheme}.webp").write_bytes(base64.b64decode(shot["data"]))
        await session.detach()


@asynccontextmanager
async def a_world(folder: Path) -> AsyncIterator[World]:
    """Lend a world without phones, with servers on a real port."""
    servers = Servers(START)
    async with listening(lambda _port: servers.app()) as port:
        world = World(folder, url=f"http://127.0.0.1:{port}", servers=servers)
        yield world
        await world.close()


async def take_all(folder: Path) -> None:
    """Walk all ways with a photographer."""
    async with chromium() as browser:
        visitor = Visitor(browser, Photographer(folder).see)
        with tempfile.TemporaryDirectory() as place:
            async with a_world(Path(place)) as world:
                await walks.walk_the_onboarding(world, visitor)
                await walks.walk_what_only_some_phones_show(world, visitor)
                await walks.walk_home(world, visitor)
        with tempfile.TemporaryDirectory() as place:
            async with a_world(Path(place)) as world:
                phone = await walks.walk_the_upload(world, visitor)
                await walks.walk_own_data(phone, visitor)
        with tempfile.TemporaryDirectory() as place:
            async with a_world(Path(place)) as world:
                met = await world.add_ready("alice"), await world.add_ready("bruno")
                await world.live(timedelta(hours=10))
                await world.meet(timedelta(minutes=30))
                await world.live(2 * walks.DAY)
                await walks.walk_being_warned(await walks.warn(world, met), visitor)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    chosen: Path = parser.parse_args().folder
    chosen.mkdir(parents=True, exist_ok=True)
    asyncio.run(take_all(chosen))
