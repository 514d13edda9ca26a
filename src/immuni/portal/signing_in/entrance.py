"""Letting somebody in: whoever has shown who they are, in whichever way, gets a session."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from immuni.portal.accounts.account import Account
from immuni.portal.desk import Desk
from immuni.portal.door import Visit
from immuni.portal.factors.store import FactorStore
from immuni.portal.settings import SecondFactor
from immuni.portal.signing_in.cookies import Cookies
from immuni.portal.signing_in.session import CookieSecret, Proof, Session
from immuni.portal.signing_in.sessions import Sessions
from immuni.portal.signing_in.store import SessionStore

_WHOLE: Final = frozenset({Proof.PASSKEY, Proof.PROVIDER})
"""What needs nothing beside it: two factors in one, or the word of those who looked at both."""


class Entrance:
    """Opens sessions, and remembers the browsers in which that happened."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        """Keep what letting in needs."""
        self._desk = desk
        self._sessions = sessions
        self._browsers = SessionStore(desk.pool, desk.trail)
        self._factors = FactorStore(desk.pool, desk.trail)
        self._cookies = Cookies(desk.site)

    def keep_mark(self, answer: Response, mark: CookieSecret) -> None:
        """Mark a browser before anybody has signed in there: what it is asked is for it alone."""
        self._cookies.keep_browser(answer, mark)

    def browser_of(self, request: Request) -> CookieSecret | None:
        """Return the mark that an earlier sign-in left in a browser."""
        return self._cookies.browser_of(request)

    async def enter(self, request: Request, account: Account, proof: Proof) -> Response:
        """Begin a session and lead to the first page.

        It is half, and leads to the second factor first, where the proof is one that somebody may
        have looked over a shoulder, and the account has a second factor or has to have one.

        Args:
            request: What the browser sent; a session that it held is ended.
            account: Whose session it will be.
            proof: By what they showed who they are.
        """
        # Whoever signs in twice in one browser leaves no session behind that nobody holds.
        await self._end_session_of(request)
        mark = self.browser_of(request) or CookieSecret.draw(self._desk.entropy)
        whole = await self._is_enough(account, proof)
        cookie = await self._sessions.open(account, proof, whole=whole, browser=mark)
        if whole:
            await self._remember(account, mark)
        answer = self.to("/")
        self._cookies.keep_session(answer, cookie)
        self._cookies.keep_browser(answer, mark)
        return answer

    async def go_on(self, visit: Visit, proof: Proof, path: str) -> Response:
        """Lead somebody on who has shown the rest of who they are, or shown it once more."""
        cookie = await self._sessions.strengthen(visit.session, proof)
        mark = self.browser_of(visit.request)
        if not visit.session.whole and mark is not None:
            await self._remember(visit.account, mark)
        answer = self.to(path)
        self._cookies.keep_session(answer, cookie)
        return answer

    async def leave(self, request: Request) -> Response:
        """End the session of a browser, if it has one, and lead to the way in."""
        await self._end_session_of(request)
        answer = self.to("/sign-in")
        self._cookies.drop_session(answer)
        return answer

    def to(self, path: str) -> RedirectResponse:
        """Lead to a page of the portal."""
        return RedirectResponse(self._desk.site.link(path), status_code=303)

    async def _end_session_of(self, request: Request) -> None:
        found = await self._sessions.find(
            self._cookies.session_of(request), self.browser_of(request)
        )
        if isinstance(found, Session):
            await self._sessions.end(found)

    async def _is_enough(self, account: Account, proof: Proof) -> bool:
        if proof in _WHOLE:
            return True
        if (await self._factors.factors_of(account.id)).any:
            return False
        return self._desk.settings.portal_second_factor is SecondFactor.OFFERED

    async def _remember(self, account: Account, mark: CookieSecret) -> None:
        """Note that `account` signs in with a browser.

        Privacy:
            The mark says nothing, and is used for nothing but the throttle and to tell a copied
            session.
        """
        now = self._desk.clock.now()
        await self._browsers.remember_browser(mark.hash, account.id, now=now)
