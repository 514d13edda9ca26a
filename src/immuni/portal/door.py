"""Who gets in to which page: each route says what it needs, and nothing is open by omission."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Permission
from immuni.portal.forms import FORM_LIMITS, FormLimits, read_own_form
from immuni.portal.signing_in.cookies import Cookies
from immuni.portal.signing_in.session import Session, SessionCookie, SessionEnd
from immuni.portal.signing_in.sessions import Sessions
from immuni.portal.site import Site
from immuni.web import ENDPOINT_KEY

UNFINISHED: Final = "again"
"""In the query of a page to which somebody comes back with what they sent not done."""

OpenHandler = Callable[[Request], Awaitable[Response]]


class NotSignedInError(ImmuniError, PermissionError):
    """The page is for those who are signed in.

    Attributes:
        end: Why what the browser holds opens nothing; None where it holds nothing.
    """

    def __init__(self, end: SessionEnd | None) -> None:
        """Say whether there was a session."""
        super().__init__("nobody is signed in")
        self.end = end


class ProofWantedError(ImmuniError, PermissionError):
    """Before this page somebody has to show who they are, wholly or once more.

    Attributes:
        back: The page to which they go on afterwards; for a form, the one that holds it.
    """

    def __init__(self, back: str) -> None:
        """Keep where they go on."""
        super().__init__("a proof is wanted")
        self.back = back


class NotAllowedError(ImmuniError, PermissionError):
    """The page is for another role; nothing was done.

    Attributes:
        session: Whose it is.
        needs: What their role does not allow.
    """

    def __init__(self, session: Session, needs: Permission) -> None:
        """Keep whose session it is."""
        super().__init__(f"{session.account.role} may not {needs}")
        self.session = session
        self.needs = needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who is signed in asks for a page that they may see.

    Attributes:
        request: What the browser sent.
        session: Who it is.
        form: The fields of a form of this session; empty where none was sent.
    """

    request: Request
    session: Session
    form: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def account(self) -> Account:
        """Whose session it is."""
        return self.session.account


Handler = Callable[[Visit], Awaitable[Response]]


class Door:
    """Makes the routes of pages, and stands before each."""

    def __init__(self, site: Site, sessions: Sessions) -> None:
        """Keep what tells who somebody is."""
        self._site = site
        self._sessions = sessions
        self._cookies = Cookies(site)

    def page(
        self,
        path: str,
        handler: Handler,
        *,
        needs: Permission,
        method: str = "GET",
        limits: FormLimits = FORM_LIMITS,
        fresh: bool = False,
        half: bool = False,
    ) -> Route:
        """Return the route of a page for those who have a permission.

        Args:
            path: The path of the table, parameters in braces.
            handler: Answers the visit.
            needs: What the role of the account must allow.
            method: GET, which answers HEAD as well, or POST, whose form must be of the session.
            limits: How much a form may hold.
            fresh: Whether they must have shown lately who they are; if not, they are asked, and
                come back.
            half: Whether those may come, too, who have shown their password alone; what that page
                lets them do is for it to decide.
        """

        async def guarded(request: Request) -> Response:
            session = await self.require(request)
            if not session.whole and not half:
                raise ProofWantedError("/")
            if not session.account.may(needs):
                raise NotAllowedError(session, needs)
            if fresh and session.whole and not self._sessions.is_fresh(session):
                raise ProofWantedError(self._way_back(request))
            form = await read_own_form(request, session, limits) if method == "POST" else {}
            answer = await handler(Visit(request=request, session=session, form=form))
            return self.with_turn(answer, session)

        return open_page(path, guarded, method=method)

    async def require(self, request: Request) -> Session:
        """Return who is signed in.

        Raises:
            NotSignedInError: Nobody is.
        """
        text = self._cookies.session_of(request)
        found = await self._sessions.find(text, self._cookies.browser_of(request))
        if isinstance(found, SessionEnd):
            raise NotSignedInError(found if text is not None else None)
        return found

    def with_turn(self, answer: Response, session: Session) -> Response:
        """Let an answer carry what the cookie of a session should hold from now on."""
        if session.next_turn is not None and not self._cookies.touches_session(answer):
            self._cookies.keep_session(answer, SessionCookie(session.cookie, session.next_turn))
        return answer

    def _way_back(self, request: Request) -> str:
        """Return the page from which somebody is sent away: where they were, or its form is."""
        if request.method != "POST":
            query = f"?{request.url.query}" if request.url.query else ""
            return request.url.path + query
        referrer = urlsplit(request.headers.get("referer", ""))
        if f"{referrer.scheme}://{referrer.netloc}" != self._site.origin:
            return "/"
        return f"{referrer.path.removeprefix(self._site.prefix) or '/'}?{UNFINISHED}"


def open_page(path: str, handler: OpenHandler, *, method: str = "GET") -> Route:
    """Return the route of a page for everybody, labelled for the log and the metrics."""

    async def labelled(request: Request) -> Response:
        request.scope[ENDPOINT_KEY] = path
        return await handler(request)

    return Route(path, labelled, methods=[method])
