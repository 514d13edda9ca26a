"""The portal's two cookies: the session, and the mark by which a browser is known again."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from immuni.portal.signing_in.session import CookieSecret, SessionCookie
from immuni.portal.signing_in.throttle import KNOWN_BROWSER_LIFETIME
from immuni.portal.site import Site

_SESSION: Final = "session"
_BROWSER: Final = "browser"


class Cookies:
    """Reads them from requests and puts them into answers; no script can read them."""

    def __init__(self, site: Site) -> None:
        """Keep what decides their names."""
        self._site = site

    def session_of(self, request: Request) -> str | None:
        """Return the text of the session's cookie."""
        return request.cookies.get(self._site.cookie(_SESSION))

    def browser_of(self, request: Request) -> CookieSecret | None:
        """Return the mark of a browser."""
        return CookieSecret.parse(request.cookies.get(self._site.cookie(_BROWSER)))

    def keep_session(self, answer: Response, cookie: SessionCookie) -> None:
        """Let a browser hold a session until it is closed."""
        self._keep(answer, _SESSION, cookie.text, seconds=None)

    def keep_browser(self, answer: Response, mark: CookieSecret) -> None:
        """Let a browser be known again for a season."""
        seconds = int(KNOWN_BROWSER_LIFETIME.total_seconds())
        self._keep(answer, _BROWSER, mark.text, seconds=seconds)

    def drop_session(self, answer: Response) -> None:
        """Let a browser forget its session."""
        answer.delete_cookie(self._site.cookie(_SESSION), path="/", secure=self._site.secure)

    def touches_session(self, answer: Response) -> bool:
        """Tell whether an answer already says what the session's cookie shall be."""
        name = self._site.cookie(_SESSION) + "="
        return any(each.startswith(name) for each in answer.headers.getlist("set-cookie"))

    def _keep(self, answer: Response, name: str, text: str, *, seconds: int | None) -> None:
        answer.set_cookie(
            self._site.cookie(name),
            text,
            max_age=seconds,
            path="/",
            secure=self._site.secure,
            httponly=True,
            samesite="strict",
        )
