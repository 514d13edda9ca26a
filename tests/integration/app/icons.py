"""The App's icon as PNG files, for browsers and desktops that do not take the SVG.

``python -m tests.integration.app.icons FOLDER`` draws them anew, from the SVG alone; `make icons`
those that the App serves.
"""

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from playwright.async_api import Browser

from immuni.web.static_files import SHARED_FOLDER
from tests.chromium import chromium

_SVG: Final = (SHARED_FOLDER / "icon.svg").read_text()
_ROUNDED: Final = ' rx="15"'
_VIEW: Final = 48
_SCALE: Final = 0.9
"""Of what is drawn on the ground, where a system cuts the corners off by itself: all of it then
lies within the circle that nothing cuts, of 40 % of the width around the middle (W3C, Web
Application Manifest, "Icon masks and safe zone")."""


def _full() -> str:
    """Return the icon with its ground out to the corners and the rest drawn in."""
    ground_end = _SVG.index("/>") + len("/>")
    ground, drawn = _SVG[:ground_end].replace(_ROUNDED, ""), _SVG[ground_end:]
    margin = _VIEW * (1 - _SCALE) / 2
    placed = f'<g transform="translate({margin:g} {margin:g}) scale({_SCALE})">'
    return ground + placed + drawn.replace("</svg>", "</g></svg>")


ICONS: Final[Mapping[str, tuple[str, int]]] = {
    "192.png": (_SVG, 192),
    "512.png": (_SVG, 512),
    "maskable-512.png": (_full(), 512),
    "apple-touch.png": (_full(), 180),
}
"""Of each file what it shows, and its width and height in pixels."""


async def drawn(browser: Browser, svg: str, size: int) -> bytes:
    """Return an SVG as a PNG of `size` pixels square, with no ground but its own."""
    page = await browser.new_page(viewport={"width": size, "height": size})
    sized = svg.replace("<svg ", f'<svg width="{size}" height="{size}" style="display:block" ', 1)
    await page.set_content(f"<body style='margin:0'>{sized}")
    png = await page.screenshot(omit_background=True)
    await page.close()
    return png


async def draw_all(folder: Path) -> None:
    """Draw every icon."""
    async with chromium() as browser:
        for name, (svg, size) in ICONS.items():
            (folder / name).write_bytes(await drawn(browser, svg, size))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    asyncio.run(draw_all(parser.parse_args().folder))
