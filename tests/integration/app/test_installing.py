import base64
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Page

from immuni.app.pages.entrance import link_to
from tests.chromium import chromium
from tests.integration.app.browser import SECRET, browsing
from tests.integration.app.icons import ICONS, drawn
from tests.integration.app.world import World

FOLDER = Path(str(files("immuni.app.pages"))) / "static/icons"

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_a_browser_finds_nothing_that_keeps_the_app_from_being_installed(
    world: World,
) -> None:
    async with browsing(await world.add_ready("alice")) as served, chromium() as browser:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(link_to(served.origin, SECRET))
        await page.wait_for_url(f"{served.origin}/")
        devtools = await context.new_cdp_session(page)
        found = await devtools.send("Page.getAppManifest")
        errors = await devtools.send("Page.getInstallabilityErrors")
        icons = json.loads(found["data"])["icons"]
        kinds = {each["type"]: await served.get(each["src"]) for each in icons}

    manifest = json.loads(found["data"])
    assert found["url"] == f"{served.origin}/manifest.webmanifest"
    assert found["errors"] == []
    # A window of the test's has no profile in which anything could be installed.
    assert {each["errorId"] for each in errors["installabilityErrors"]} <= {"in-incognito"}
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    assert {kind: answer.headers["content-type"] for kind, answer in kinds.items()} == {
        "image/svg+xml": "image/svg+xml",
        "image/png": "image/png",
    }
    assert {(each["sizes"], each["purpose"]) for each in icons} >= {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }


@dataclass(frozen=True)
class Compared:
    """How far two pictures of one size are apart, and what lies outside the safe circle.

    Attributes:
        size: Their width and height, in pixels.
        difference: The mean of all channels of all pixels, 0 to 255.
        colours_outside: Of the first one, how many there are beyond 40 % of the width.
    """

    size: int
    difference: float
    colours_outside: int


_COMPARE = """async ([one, other]) => {
  const pixels = async (url) => {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    return context.getImageData(0, 0, picture.width, picture.height);
  };
  const [first, second] = [await pixels(one), await pixels(other)];
  const size = first.width, colours = new Uint32Array(first.data.buffer), outside = new Set();
  let sum = first.data.length === second.data.length ? 0 : Infinity;
  for (let at = 0; at < first.data.length; at++) sum += Math.abs(first.data[at] - second.data[at]);
  for (let pixel = 0; pixel < size * size; pixel++) {
    const [x, y] = [pixel % size + 0.5 - size / 2, Math.floor(pixel / size) + 0.5 - size / 2];
    if (Math.hypot(x, y) > size * 0.4) outside.add(colours[pixel]);
  }
  return [size, sum / first.data.length, outside.size];
}"""


async def compared(page: Page, one: bytes, other: bytes) -> Compared:
    urls = ["data:image/png;base64," + base64.b64encode(each).decode() for each in (one, other)]
    return Compared(*await page.evaluate(_COMPARE, urls))


async def test_every_icon_of_pixels_shows_what_the_drawing_shows() -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        for name, (svg, size) in ICONS.items():
            shipped = (FOLDER / name).read_bytes()
            found = await compared(page, shipped, await drawn(browser, svg, size))
            assert found.size == size
            # Edges may be smoothed otherwise by another version of the browser.
            assert found.difference < 1, name
            if svg is not ICONS["512.png"][0]:
                assert found.colours_outside == 1, name
