"""One's own account: password, second factors, and where one is signed in."""

from http import HTTPStatus

from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.guessing import Weakness
from immuni.portal.accounts.passwords import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    PasswordKeeper,
    PasswordsBusyError,
    WeakPasswordError,
)
from immuni.portal.accounts.roles import Permission
from immuni.portal.accounts.store import AccountStore
from immuni.portal.audit.events import Action
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.factors.store import FactorStore
from immuni.portal.signing_in.authentication import (
    Authenticator,
    SignInRefusedError,
    TooManyAttemptsError,
)
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.sessions import Sessions
from immuni.web import source_of, subscriber_of


class AccountPages:
    """The page of whoever is signed in."""

    def __init__(
        self,
        desk: Desk,
        *,
        door: Door,
        entrance: Entrance,
        authenticator: Authenticator,
        sessions: Sessions,
    ) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._entrance = entrance
        self._authenticator = authenticator
        self._sessions = sessions
        self._accounts = AccountStore(desk.pool, desk.trail)
        self._factors = FactorStore(desk.pool, desk.trail)
        self._passwords = PasswordKeeper(desk.entropy)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, here = self._door.page, Permission.BE_HERE
        return [
            page("/account", self.show, needs=here),
            page("/account/password", self.ask_password, needs=here, fresh=True),
            page("/account/password", self.change_password, needs=here, method="POST", fresh=True),
            page("/account/sessions/end", self.end_session, needs=here, method="POST"),
            page("/account/sessions/end-others", self.end_others, needs=here, method="POST"),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show what there is."""
        return self._desk.pages.render(
            visit.request,
            "account.html",
            session=visit.session,
            factors=await self._factors.factors_of(visit.account.id),
            sessions=await self._sessions.of(visit.account),
            zone=self._desk.settings.portal_time_zone,
            last="last" in visit.request.query_params,
            changed="changed" in visit.request.query_params,
        )

    async def ask_password(self, visit: Visit) -> Response:
        """Ask for the old and the new password."""
        if visit.account.password_hash is None:
            return self._entrance.to("/account")
        return self._password_page(visit)

    async def change_password(self, visit: Visit) -> Response:
        """Take a new password where the old one is right; other sessions end."""
        try:
            await self._authenticator.authenticate(
                user=visit.account.user,
                password=visit.form.get("old", ""),
                source=subscriber_of(source_of(visit.request.scope)),
                browser=self._entrance.browser_of(visit.request),
                action=Action.PROOF,
            )
            await self._change(visit)
        except SignInRefusedError:
            return self._password_page(visit, fault="old")
        except WeakPasswordError as error:
            return self._password_page(visit, fault=error.weakness)
        except TooManyAttemptsError:
            return self._password_page(visit, fault="wait", status=HTTPStatus.TOO_MANY_REQUESTS)
        except PasswordsBusyError:
            return self._password_page(visit, fault="busy", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return self._entrance.to("/account?changed")

    async def end_session(self, visit: Visit) -> Response:
        """End one of one's sessions."""
        text = visit.form.get("id", "")
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
        await self._sessions.end_one(visit.account, number)
        return self._entrance.to("/account")

    async def end_others(self, visit: Visit) -> Response:
        """End all of one's sessions but for this one."""
        await self._sessions.end_others(visit.session)
        return self._entrance.to("/account")

    async def _change(self, visit: Visit) -> None:
        account = visit.account
        password_hash = await self._passwords.hash(
            visit.form.get("new", ""),
            context=[account.user, account.name, account.organisation, self._desk.site.host],
        )
        await self._accounts.change_password(
            account.id, password_hash, now=self._desk.clock.now(), keep=visit.session.id
        )

    def _password_page(
        self,
        visit: Visit,
        *,
        fault: str = "",
        status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
    ) -> Response:
        return self._desk.pages.render(
            visit.request,
            "password.html",
            session=visit.session,
            status=status if fault else HTTPStatus.OK,
            fault=fault,
            weaknesses=tuple(Weakness),
            min_length=MIN_PASSWORD_LENGTH,
            max_length=MAX_PASSWORD_LENGTH,
        )
