"""The door: pages are shown to a browser that had the installation's secret, and to no other.

A link carries the secret behind ``#``, where no server, log or Referer sees it. A script of the
page at `OPEN_PATH` hands it in with a form, and gets a cookie for it.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from immuni.app.pages.answers import go_to, read_form
from immuni.app.pages.installing import MANIFEST_PATH
from immuni.app.secret import InstallationSecret

OPEN_PATH: Final = "/open"
COOKIE: Final = "immuni"
_LONGEST_LIFE_SECONDS: Final = 400 * 24 * 60 * 60
"""Browsers keep no cookie for longer."""
_OWN_PATH: Final = re.compile(r"/(?:[\w-]+(?:/[\w-]+)*)?", re.ASCII)
# They are the same on every device, and tell nothing of its user.
_PUBLIC: Final = frozenset({OPEN_PATH, MANIFEST_PATH})
_PUBLIC_PREFIX: Final = "/static/"


def link_to(origin: str, secret: InstallationSecret, *, page: str = "/") -> str:
    """Return the link that opens a page in any browser of the device's user.

    Args:
        origin: Where the pages are served, ``http://name:port``.
        secret: The installation's.
        page: The page to show.
    """
    to = "" if page == "/" else f"?to={page}"
    return f"{origin}{OPEN_PATH}{to}#{secret.text}"


class Shows(Protocol):
    """Something that renders pages: the App's screens, or those around a phone."""

    def show(self, request: Request, template: str, **values: object) -> Response:
        """Return a page."""
        ...


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a browser comes in, and what it sees as long as it has not."""

    screens: Shows
    secret: InstallationSecret

    def routes(self) -> list[Route]:
        """Return the routes that are open to everybody on this device."""
        return [
            Route(OPEN_PATH, self.show),
            Route(OPEN_PATH, self.enter, methods=["POST"]),
        ]

    def door(self) -> Middleware:
        """Return what stands in front of all other pages."""
        return Middleware(_Door, entrance=self)

    async def show(self, request: Request) -> Response:
        """Show the form that the page's script fills in from the link."""
        to = _own_path(request.query_params.get("to", ""))
        return self.screens.show(request, "open.html", to=to)

    async def enter(self, request: Request) -> Response:
        """Let whoever has the secret in, and show the page that they wanted."""
        form = await read_form(request)
        if not self.secret.is_told_by(form.get("secret", "")):
            return self.closed(request)
        answer = go_to(_own_path(form.get("to", "")))
        answer.set_cookie(
            COOKIE,
            self.secret.cookie,
            max_age=_LONGEST_LIFE_SECONDS,
            path="/",
            httponly=True,
            samesite="strict",
        )
        return answer

    def may_pass(self, request: Request) -> bool:
        """Tell whether a request may go on."""
        path = request.url.path
        if path in _PUBLIC or path.startswith(_PUBLIC_PREFIX):
            return True
        return self.secret.is_shown_by(request.cookies.get(COOKIE, ""))

    def closed(self, request: Request) -> Response:
        """Say kindly that the door is closed, and how it opens."""
        page = self.screens.show(request, "closed.html")
        page.status_code = HTTPStatus.FORBIDDEN
        return page


class _Door:
    """Turns away whoever shows no cookie of ours."""

    def __init__(self, app: ASGIApp, *, entrance: Entrance) -> None:
        self._app = app
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._entrance.may_pass(Request(scope)):
            await self._app(scope, receive, send)
        else:
            await self._entrance.closed(Request(scope))(scope, receive, send)


def _own_path(path: str) -> str:
    """Return `path` where it is one of ours, else home: no link leads through here elsewhere."""
    return path if _OWN_PATH.fullmatch(path) else "/"
