"""Chromium as Debian packages it, with nothing that reaches beyond the machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, async_playwright

_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--disable-gpu",
)
_TEXT_PIXELS: Final = 16


@asynccontextmanager
async def chromium(*, text_percent: int = 100) -> AsyncIterator[Browser]:
    """Lend a browser for as long as the block runs.

    Args:
        text_percent: How large its user wants text, of the size that browsers begin with.
    """
    # It takes the place of what says that there is a mouse, so only whoever wants it has it.
    size = f"--blink-settings=defaultFontSize={_TEXT_PIXELS * text_percent // 100}"
    sizes = [] if text_percent == 100 else [size]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=[*_ARGUMENTS, *sizes]
        )
        yield browser
        await browser.close()
