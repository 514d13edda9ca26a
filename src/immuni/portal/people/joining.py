"""The pages for whoever was invited: what the invitation says, and the account that it makes."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.account import (
    AccountExistsError,
    InvalidNameError,
    InvalidUserError,
)
from immuni.portal.accounts.invitations import Invitation, InvitationOverError, Invitations
from immuni.portal.accounts.passwords import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    PasswordsBusyError,
    WeakPasswordError,
)
from immuni.portal.desk import Desk
from immuni.portal.door import open_page
from immuni.portal.forms import read_form
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.session import Proof


class JoinPages:
    """From a link to an account, and in.

    The link holds its secret after a ``#``: browsers send that part to nobody, so it stands in no
    log and in no Referer. A script puts it into a form and takes it out of the address; without
    the script it is pasted.
    """

    def __init__(self, desk: Desk, *, entrance: Entrance) -> None:
        """Keep what the pages need."""
        self._pages = desk.pages
        self._entrance = entrance
        self._invitations = Invitations(
            desk.pool, desk.trail, passwords=desk.passwords, clock=desk.clock
        )

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            open_page("/join", self.ask),
            open_page("/join", self.show, method="POST"),
            open_page("/join/accept", self.begin_again),
            open_page("/join/accept", self.accept, method="POST"),
        ]

    async def ask(self, request: Request) -> Response:
        """Ask for the invitation's secret."""
        return self._pages.render(request, "join.html", over=False)

    async def begin_again(self, _request: Request) -> Response:
        """Lead whoever reloads the address of a form to the beginning."""
        return self._entrance.to("/join")

    async def show(self, request: Request) -> Response:
        """Show who invites into what, and the form."""
        form = await read_form(request)
        try:
            invitation = await self._invitations.look(form.get("token", ""))
        except InvitationOverError:
            return self._over(request)
        return self._form(request, form, invitation)

    async def accept(self, request: Request) -> Response:
        """Make the account and let it in, or say what is wrong; nothing typed is lost."""
        form = await read_form(request)
        try:
            account = await self._invitations.accept(
                form.get("token", ""),
                user=form.get("user", ""),
                name=form.get("name", ""),
                password=form.get("password", ""),
            )
        except InvitationOverError:
            return self._over(request)
        except (
            InvalidUserError,
            InvalidNameError,
            AccountExistsError,
            WeakPasswordError,
            PasswordsBusyError,
        ) as error:
            return await self._refused(request, form, error)
        return await self._entrance.enter(request, account, Proof.INVITATION)

    async def _refused(
        self, request: Request, form: Mapping[str, str], error: Exception
    ) -> Response:
        try:
            invitation = await self._invitations.look(form.get("token", ""))
        except InvitationOverError:
            return self._over(request)
        return self._form(request, form, invitation, fault=type(error).__name__)

    def _over(self, request: Request) -> Response:
        return self._pages.render(request, "join.html", over=True, status=410)

    def _form(
        self,
        request: Request,
        form: Mapping[str, str],
        invitation: Invitation,
        *,
        fault: str = "",
    ) -> Response:
        return self._pages.render(
            request,
            "join_form.html",
            status=422 if fault else 200,
            token=form.get("token", "").strip(),
            user=form.get("user", ""),
            name=form.get("name", ""),
            invitation=invitation,
            fault=fault,
            min_length=MIN_PASSWORD_LENGTH,
            max_length=MAX_PASSWORD_LENGTH,
        )
