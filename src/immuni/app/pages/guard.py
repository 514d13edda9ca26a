"""Who may talk to the pages: the browser on this device, showing these pages, and nobody else.

Every local program and every web site that the user visits can send requests to the loopback
address. What keeps them out stands here, in front of everything else.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from immuni.web.page_headers import CONTENT_SECURITY_POLICY, PAGE_HEADERS

MAX_FORM_BYTES: Final = 16 * 1024
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_OWN_SITES: Final = frozenset({"same-origin", "none"})
_NOBODY: Final = "frame-ancestors 'none'"


class Guard:
    """Lets through what comes from the App's own pages, and adds the headers that protect them."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        origin: str,
        framed_by: str | None = None,
        frames: Sequence[str] = (),
    ) -> None:
        """Guard `app`.

        Args:
            app: What lies behind.
            origin: The origin under which the pages are served, ``http://name:port``.
            framed_by: The one origin, of the same site, that may show the pages in a frame; nobody
                where it is None.
            frames: The origins that the pages themselves show in frames.
        """
        self._app = app
        self._origin = origin
        self._headers = _headers(framed_by, frames)
        self._is_framed = framed_by is not None
        self._authority = urlsplit(origin).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, self._protecting(send, scope))
        else:
            answer = PlainTextResponse(refusal.phrase, refusal, headers=self._headers)
            await answer(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> HTTPStatus | None:
        # A name that leads to the loopback address by a trick of the DNS is not our name.
        if headers.getlist("host") != [self._authority]:
            return HTTPStatus.MISDIRECTED_REQUEST
        if method in _SAFE_METHODS:
            return None if self._may_look(headers) else HTTPStatus.FORBIDDEN
        # Browsers send Origin with every form; what does not, is not one of our pages.
        if headers.getlist("origin") != [self._origin]:
            return HTTPStatus.FORBIDDEN
        return _body_refusal(headers.getlist("content-length"))

    def _may_look(self, headers: Headers) -> bool:
        """Tell whether a request for a page may come from where it comes.

        Another site may lead here with a link, but not fetch or embed anything unseen.
        """
        site = headers.get("sec-fetch-site", "none")
        wanted = headers.get("sec-fetch-dest")
        # Whose frame it is, browsers learn from the policy.
        is_frame = self._is_framed and site == "same-site" and wanted == "iframe"
        return site in _OWN_SITES or wanted == "document" or is_frame

    def _protecting(self, send: Send, scope: Scope) -> Send:
        # Pages show what nobody else should read, so they are kept nowhere; pictures and type may,
        # and for good under a URL that changes with what is in them.
        is_static = scope["path"].startswith("/static/")
        cache = "no-cache" if is_static else "no-store"
        is_marked = is_static and scope["query_string"]

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if is_marked:
                    headers.setdefault("Cache-Control", cache)
                else:
                    headers["Cache-Control"] = cache
            await send(message)

        return protected


def _headers(framed_by: str | None, frames: Sequence[str]) -> Mapping[str, str]:
    # These pages fetch parts of themselves anew; others need no connection from scripts.
    policy = f"{CONTENT_SECURITY_POLICY}; connect-src 'self'; manifest-src 'self'"
    if frames:
        policy += f"; frame-src {' '.join(frames)}"
    if framed_by is None:
        return {**PAGE_HEADERS, "Content-Security-Policy": policy}
    # The older header knows nobody and everybody only.
    others = {name: value for name, value in PAGE_HEADERS.items() if name != "X-Frame-Options"}
    policy = policy.replace(_NOBODY, f"frame-ancestors {framed_by}")
    return {**others, "Content-Security-Policy": policy}


def _body_refusal(lengths: Sequence[str]) -> HTTPStatus | None:
    if len(lengths) != 1 or not (lengths[0].isascii() and lengths[0].isdecimal()):
        return HTTPStatus.LENGTH_REQUIRED
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if int(lengths[0]) > MAX_FORM_BYTES else None
