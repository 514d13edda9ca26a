"""The way in and the way out."""

import math
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.account import Account
from immuni.portal.accounts.passwords import PasswordsBusyError
from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, NotSignedInError, Visit, open_page
from immuni.portal.factors.challenges import Purpose
from immuni.portal.factors.proving import ProofRefusedError, SecondFactors
from immuni.portal.forms import read_form
from immuni.portal.signing_in.authentication import (
    Authenticator,
    SignInRefusedError,
    TooManyAttemptsError,
)
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.session import CookieSecret, Proof, SessionEnd
from immuni.web import source_of, subscriber_of

_BUSY_SECONDS: Final = 5
_ENDS: Final = ("ended", "copied")


class SignInPages:
    """Signing in, signing out, and who it is that asks."""

    def __init__(
        self,
        desk: Desk,
        *,
        door: Door,
        entrance: Entrance,
        authenticator: Authenticator,
        factors: SecondFactors,
    ) -> None:
        """Keep what the pages need."""
        self._pages = desk.pages
        self._entropy = desk.entropy
        self._factors = factors
        self._door = door
        self._entrance = entrance
        self._authenticator = authenticator

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            open_page("/sign-in", self.show),
            open_page("/sign-in", self.sign_in, method="POST"),
            open_page("/sign-in/help", self.help),
            open_page("/sign-in/passkey", self.begin_again),
            open_page("/sign-in/passkey", self.sign_in_with_passkey, method="POST"),
            self._door.page(
                "/sign-out", self.sign_out, needs=Permission.BE_HERE, method="POST", half=True
            ),
        ]

    async def show(self, request: Request) -> Response:
        """Show the form, or go on where somebody is signed in already."""
        try:
            await self._door.require(request)
        except NotSignedInError:
            reason = next((each for each in _ENDS if each in request.query_params), "")
            return self._form(request, reason=reason)
        return self._entrance.to("/")

    async def help(self, request: Request) -> Response:
        """Tell everybody how to get in, and whom to call: the same to all, whoever asks."""
        return self._pages.render(request, "sign_in_help.html")

    async def sign_in(self, request: Request) -> Response:
        """Sign in, or say why not."""
        form = await read_form(request)
        browser = self._entrance.browser_of(request)
        try:
            account = await self._authenticate(request, form, browser)
        except SignInRefusedError:
            return self._form(request, form, reason="refused", status=401)
        except TooManyAttemptsError as error:
            return self._form(
                request, form, reason="wait", status=429, seconds=error.wait.total_seconds()
            )
        except PasswordsBusyError:
            return self._form(request, form, reason="busy", status=503, seconds=_BUSY_SECONDS)
        return await self._entrance.enter(request, account, Proof.PASSWORD)

    async def begin_again(self, _request: Request) -> Response:
        """Lead whoever reloads the address of a form to the form."""
        return self._entrance.to("/sign-in")

    async def sign_in_with_passkey(self, request: Request) -> Response:
        """Sign in with a passkey alone, which is two proofs in one: a device, and its user."""
        form = await read_form(request)
        try:
            account = await self._factors.prove_passkey(
                form.get("credential", ""), Purpose.SIGN_IN, self._entrance.browser_of(request)
            )
        except ProofRefusedError:
            return self._form(request, reason="passkey", status=401)
        return await self._entrance.enter(request, account, Proof.PASSKEY)

    async def sign_out(self, visit: Visit) -> Response:
        """End the session."""
        return await self._entrance.leave(visit.request)

    async def refuse(self, _request: Request, error: Exception) -> Response:
        """Send whoever is not signed in to the form."""
        end = error.end if isinstance(error, NotSignedInError) else None
        if end is None:
            return self._entrance.to("/sign-in")
        return self._entrance.to(
            "/sign-in?copied" if end is SessionEnd.COPIED else "/sign-in?ended"
        )

    async def _authenticate(
        self, request: Request, form: Mapping[str, str], browser: CookieSecret | None
    ) -> Account:
        return await self._authenticator.authenticate(
            user=form.get("user", ""),
            password=form.get("password", ""),
            source=subscriber_of(source_of(request.scope)),
            browser=browser,
        )

    def _form(
        self,
        request: Request,
        form: Mapping[str, str] | None = None,
        *,
        reason: str = "",
        status: int = 200,
        seconds: float = 0,
    ) -> Response:
        user = form.get("user", "") if form else ""
        minutes = math.ceil(seconds / 60)
        known = self._entrance.browser_of(request)
        mark = known or CookieSecret.draw(self._entropy)
        challenge = self._factors.challenges.make(Purpose.SIGN_IN, mark)
        answer = self._pages.render(
            request,
            "sign_in.html",
            status=status,
            user=user,
            reason=reason,
            minutes=minutes,
            options=self._factors.passkeys.request_options(challenge),
        )
        if known is None:
            self._entrance.keep_mark(answer, mark)
        if seconds:
            answer.headers["Retry-After"] = str(math.ceil(seconds))
        return answer
