"""Who gets in to which page: each route says what it needs, and nothing is open by omission."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Permission
from immuni.portal.forms import FORM_LIMITS, FormLimits, read_own_form
from immuni.portal.signing_in.sessions import Session, Sessions
from immuni.portal.site import Site
from immuni.web import ENDPOINT_KEY

SESSION_COOKIE: Final = "session"

OpenHandler = Callable[[Request], Awaitable[Response]]


class NotSignedInError(ImmuniError, PermissionError):
    """The page is for those who are signed in.

    Attributes:
        ended: Whether the browser still holds a session that is over.
    """

    def __init__(self, *, ended: bool) -> None:
        """Say whether there was a session."""
        super().__init__("nobody is signed in")
        self.ended = ended


class NotAllowedError(ImmuniError, PermissionError):
    """The page is for another role; nothing was done.

    Attributes:
        session: Whose it is.
    """

    def __init__(self, session: Session, needs: Permission) -> None:
        """Keep whose session it is."""
        super().__init__(f"{session.account.role} may not {needs}")
        self.session = session


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

    def page(
        self,
        path: str,
        handler: Handler,
        *,
        needs: Permission,
        method: str = "GET",
        limits: FormLimits = FORM_LIMITS,
    ) -> Route:
        """Return the route of a page for those who have a permission.

        Args:
            path: The path of the table, parameters in braces.
            handler: Answers the visit.
            needs: What the role of the account must allow.
            method: GET, which answers HEAD as well, or POST, whose form must be of the session.
            limits: How much a form may hold.
        """

        async def guarded(request: Request) -> Response:
            session = await self.require(request)
            if not session.account.may(needs):
                raise NotAllowedError(session, needs)
            form = await read_own_form(request, session, limits) if method == "POST" else {}
            return await handler(Visit(request=request, session=session, form=form))

        return open_page(path, guarded, method=method)

    async def require(self, request: Request) -> Session:
        """Return who is signed in.

        Raises:
            NotSignedInError: Nobody is.
        """
        text = request.cookies.get(self._site.cookie(SESSION_COOKIE))
        session = await self._sessions.find(text)
        if session is None:
            raise NotSignedInError(ended=text is not None)
        return session


def open_page(path: str, handler: OpenHandler, *, method: str = "GET") -> Route:
    """Return the route of a page for everybody, labelled for the log and the metrics."""

    async def labelled(request: Request) -> Response:
        request.scope[ENDPOINT_KEY] = path
        return await handler(request)

    return Route(path, labelled, methods=[method])
