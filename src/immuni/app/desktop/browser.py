"""Opening a page in the user's own browser, without telling anybody else the secret."""

import asyncio
import os
from html import escape
from pathlib import Path
from typing import Final

from immuni.errors import ImmuniError

_PROGRAM: Final = "xdg-open"


class BrowserError(ImmuniError, RuntimeError):
    """No browser could be opened."""


def ask_for_page(folder: Path, link: str) -> Path:
    """Write a page that leads on to `link`, for its owner's eyes only, and return its path.

    Every user of a machine can read the command lines of all programs. Such a page keeps the
    secret out of the browser's.
    """
    page = folder / "open.html"
    text = (
        '<!doctype html><meta charset="utf-8"><title>Immuni</title>'
        f'<meta http-equiv="refresh" content="0; url={escape(link)}">'
    )
    unfinished = page.with_name(f".{page.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(page)
    return page


async def open_in_browser(folder: Path, link: str) -> None:
    """Show `link` in the user's browser.

    Args:
        folder: The App's own, which nobody else may enter.
        link: A link with the secret in it.

    Raises:
        BrowserError: There is no program that knows the user's browser, or it failed.
    """
    page = ask_for_page(folder, link)
    try:
        process = await asyncio.create_subprocess_exec(
            _PROGRAM,
            str(page.resolve()),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise BrowserError(f"{_PROGRAM} is not there: install xdg-utils") from error
    if await process.wait():
        raise BrowserError(f"{_PROGRAM} found no browser that it could open")
