"""Whether the user has the App before them, as far as its pages can tell."""

import asyncio
from datetime import timedelta
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from immuni.app.pages.notifications import UNTOLD_PATH
from immuni.app.phone import Phone

QUIET: Final = timedelta(minutes=10)
"""A person who has done nothing for so long is taken to have turned to something else."""


class Presence:
    """Tells the phone when its App comes to the foreground, and when it leaves it.

    What a page fetches by itself does not count: it may have been open since yesterday.
    """

    def __init__(self, app: ASGIApp, *, phone: Phone, quiet: timedelta = QUIET) -> None:
        """Watch the requests for `app`."""
        self._app = app
        self._phone = phone
        self._quiet = quiet
        self._leaving: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note whether a person asks, and hand the request on."""
        if scope["type"] == "http" and _is_of_a_person(scope):
            self._phone.came_to_foreground()
            self._wait_for_quiet()
        await self._app(scope, receive, send)

    def _wait_for_quiet(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
        loop = asyncio.get_running_loop()
        self._leaving = loop.call_later(self._quiet.total_seconds(), self._phone.left_foreground)


def _is_of_a_person(scope: Scope) -> bool:
    if scope["path"].startswith("/static/") or scope["path"] == UNTOLD_PATH:
        return False
    is_fetched_by_page = scope["method"] == "GET" and "hx-request" in Headers(scope=scope)
    return not is_fetched_by_page
