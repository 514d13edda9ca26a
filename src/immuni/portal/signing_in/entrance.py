"""Letting somebody in: whoever has shown who they are, in whichever way, gets a session."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from immuni.portal.accounts.account import Account
from immuni.portal.desk import Desk
from immuni.portal.door import SESSION_COOKIE
from immuni.portal.signing_in.sessions import CookieSecret, Proof, Sessions
from immuni.portal.signing_in.store import SessionStore
from immuni.portal.signing_in.throttle import KNOWN_BROWSER_LIFETIME

_BROWSER: Final = "browser"


class Entrance:
    """Opens sessions, and remembers the browsers in which that happened."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        """Keep what letting in needs."""
        self._desk = desk
        self._sessions = sessions
        self._browsers = SessionStore(desk.pool, desk.trail)

    def browser_of(self, request: Request) -> CookieSecret | None:
        """Return the mark that an earlier sign-in left in a browser."""
        return CookieSecret.parse(request.cookies.get(self._desk.site.cookie(_BROWSER)))

    async def enter(self, request: Request, account: Account, proof: Proof) -> Response:
        """Begin a session and lead to the first page.

        Args:
            request: What the browser sent; a session that it held is ended.
            account: Whose session it will be.
            proof: By what they showed who they are.
        """
        before = await self._sessions.find(
            request.cookies.get(self._desk.site.cookie(SESSION_COOKIE))
        )
        if before is not None:
            # Whoever signs in twice in one browser leaves no session behind that nobody holds.
            await self._sessions.end(before)
        session = await self._sessions.open(account, proof)
        mark = await self._remember(account, self.browser_of(request))
        answer = self.to("/")
        self._keep(answer, SESSION_COOKIE, session.cookie, seconds=None)
        seconds = int(KNOWN_BROWSER_LIFETIME.total_seconds())
        self._keep(answer, _BROWSER, mark, seconds=seconds)
        return answer

    async def leave(self, request: Request) -> Response:
        """End the session of a browser, if it has one, and lead to the way in."""
        session = await self._sessions.find(
            request.cookies.get(self._desk.site.cookie(SESSION_COOKIE))
        )
        if session is not None:
            await self._sessions.end(session)
        answer = self.to("/sign-in")
        answer.delete_cookie(
            self._desk.site.cookie(SESSION_COOKIE), path="/", secure=self._desk.site.secure
        )
        return answer

    def to(self, path: str) -> RedirectResponse:
        """Lead to a page of the portal."""
        return RedirectResponse(self._desk.site.link(path), status_code=303)

    async def _remember(self, account: Account, browser: CookieSecret | None) -> CookieSecret:
        """Return the mark for a browser in which `account` signs in.

        Privacy:
            The mark says nothing and is used for nothing but the throttle.
        """
        now = self._desk.clock.now()
        mark = browser or CookieSecret.draw(self._desk.entropy)
        await self._browsers.purge_browsers(before=now - KNOWN_BROWSER_LIFETIME)
        await self._browsers.remember_browser(mark.hash, account.id, now=now)
        return mark

    def _keep(
        self, answer: Response, name: str, secret: CookieSecret, *, seconds: int | None
    ) -> None:
        answer.set_cookie(
            self._desk.site.cookie(name),
            secret.text,
            max_age=seconds,
            path="/",
            secure=self._desk.site.secure,
            httponly=True,
            samesite="strict",
        )
