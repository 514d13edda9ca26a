"""Around every page: who may send a form, and what browsers may do with a page."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from immuni.portal.rendering import Pages
from immuni.portal.site import Site
from immuni.web import ENDPOINT_KEY
from immuni.web.observing import log_fault
from immuni.web.page_headers import PAGE_HEADERS

_STRICT_TRANSPORT: Final = "max-age=31536000; includeSubDomains"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


class PageShell:
    """ASGI middleware that every request passes."""

    def __init__(self, app: ASGIApp, *, site: Site, pages: Pages) -> None:
        """Wrap `app`."""
        self._app = app
        self._site = site
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._site)
        if not self._may_come_from_here(scope):
            await self._notice("foreign_form", 403)(scope, receive, answer)
            return
        try:
            await self._app(scope, receive, answer)
        except Exception as error:
            # Whatever it is, the operator gets a page that says what to do.
            log_fault(error, endpoint=scope.get(ENDPOINT_KEY, "unmatched"))
            if answer.has_begun:
                raise
            await self._notice("failure", 500)(scope, receive, answer)

    def _notice(self, notice: str, status: int) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            page = self._pages.render(Request(scope), "notice.html", notice=notice, status=status)
            await page(scope, receive, send)

        return app

    def _may_come_from_here(self, scope: Scope) -> bool:
        """Tell whether a request that changes something was sent by a page of this portal.

        Browsers name the origin of each form; a request without it comes from no browser.
        """
        if scope["method"] in _SAFE_METHODS:
            return True
        headers = Headers(scope=scope)
        fetch_site = headers.get("sec-fetch-site", "same-origin")
        return headers.get("origin") == self._site.origin and fetch_site == "same-origin"


class _Answer:
    """Adds the headers to one answer."""

    def __init__(self, send: Send, site: Site) -> None:
        self._send = send
        self._site = site
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            headers.update(PAGE_HEADERS)
            headers.setdefault("Cache-Control", "no-store")
            if self._site.secure:
                headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
        await self._send(message)
