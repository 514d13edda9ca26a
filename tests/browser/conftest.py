"""A real browser, as Debian packages it."""

import os
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM: Final = "/usr/bin/chromium"
# Nothing may leave the machine, and nobody waits for what would.
_QUIET: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


# For one test at a time: while it is open the driver keeps an event loop running in this thread,
# and no asynchronous test could run there.
@pytest.fixture
def browser() -> Iterator[Browser]:
    """Lend Chromium; as root it cannot have its sandbox."""
    sandbox = [] if os.getuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*_QUIET, *sandbox])
        yield chromium
        chromium.close()
