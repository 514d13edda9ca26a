"""Showing the rest of who one is after the password, or showing it once more."""

import math
from collections.abc import Awaitable
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.passwords import PasswordsBusyError
from immuni.portal.accounts.roles import Permission
from immuni.portal.audit.events import Action
from immuni.portal.desk import Desk
from immuni.portal.door import Door, ProofWantedError, Visit
from immuni.portal.factors.challenges import Purpose
from immuni.portal.factors.proving import ProofRefusedError, SecondFactors
from immuni.portal.signing_in.authentication import (
    Authenticator,
    SignInRefusedError,
    TooManyAttemptsError,
)
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.session import Proof
from immuni.portal.site import own_path
from immuni.web import source_of, subscriber_of


class ProofPages:
    """One page that asks for what the account has, and goes on to where somebody wanted to go."""

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
        self._desk = desk
        self._door = door
        self._entrance = entrance
        self._authenticator = authenticator
        self._factors = factors

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._door.page, Permission.BE_HERE
        return [
            page("/prove", self.show, needs=needs, half=True),
            page("/prove/password", self.prove_password, needs=needs, method="POST"),
            page("/prove/code", self.prove_code, needs=needs, method="POST", half=True),
            page("/prove/passkey", self.prove_passkey, needs=needs, method="POST", half=True),
        ]

    async def ask(self, _request: Request, error: Exception) -> Response:
        """Lead whoever has to show who they are to the page that asks."""
        back = error.back if isinstance(error, ProofWantedError) else "/"
        return self._entrance.to(f"/prove?{urlencode({'to': back})}")

    async def show(self, visit: Visit) -> Response:
        """Ask for what the account has; whoever has nothing yet, and needs it, sets it up."""
        if not visit.session.whole:
            factors = await self._factors.store.factors_of(visit.account.id)
            if not factors.any:
                return self._entrance.to("/account/set-up")
        return await self._page(visit, to=visit.request.query_params.get("to", "/"))

    async def prove_password(self, visit: Visit) -> Response:
        """Take the password once more, of an account that has nothing else."""
        if (await self._factors.store.factors_of(visit.account.id)).any:
            # The page offers no such form: a password is less than what the account has.
            raise ProofWantedError(own_path(visit.form.get("to", "/")))
        return await self._prove(visit, self._password(visit))

    async def prove_code(self, visit: Visit) -> Response:
        """Take a code of the app, or a recovery code."""
        return await self._prove(visit, self._code(visit))

    async def prove_passkey(self, visit: Visit) -> Response:
        """Take a passkey."""
        return await self._prove(visit, self._passkey(visit))

    async def _password(self, visit: Visit) -> Proof:
        await self._authenticator.authenticate(
            user=visit.account.user,
            password=visit.form.get("password", ""),
            source=subscriber_of(source_of(visit.request.scope)),
            browser=self._entrance.browser_of(visit.request),
            action=Action.PROOF,
        )
        return Proof.PASSWORD

    async def _code(self, visit: Visit) -> Proof:
        return await self._factors.prove_code(
            visit.account,
            visit.form.get("code", ""),
            source=subscriber_of(source_of(visit.request.scope)),
            browser=self._entrance.browser_of(visit.request),
        )

    async def _passkey(self, visit: Visit) -> Proof:
        await self._factors.prove_passkey(
            visit.form.get("credential", ""),
            Purpose.PROVE,
            self._entrance.browser_of(visit.request),
            account=visit.account,
        )
        return Proof.PASSKEY

    async def _prove(self, visit: Visit, proving: Awaitable[Proof]) -> Response:
        to = visit.form.get("to", "/")
        try:
            proof = await proving
        except (SignInRefusedError, ProofRefusedError):
            return await self._page(visit, to=to, fault="refused", status=HTTPStatus.UNAUTHORIZED)
        except TooManyAttemptsError as error:
            return await self._wait(visit, to, error.wait.total_seconds())
        except PasswordsBusyError:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            return await self._page(visit, to=to, fault="busy", status=status)
        return await self._entrance.go_on(visit, proof, own_path(to))

    async def _wait(self, visit: Visit, to: str, seconds: float) -> Response:
        minutes, status = math.ceil(seconds / 60), HTTPStatus.TOO_MANY_REQUESTS
        answer = await self._page(visit, to=to, fault="wait", minutes=minutes, status=status)
        answer.headers["Retry-After"] = str(math.ceil(seconds))
        return answer

    async def _page(
        self,
        visit: Visit,
        *,
        to: str,
        fault: str = "",
        minutes: int = 0,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        factors = await self._factors.store.factors_of(visit.account.id)
        browser = self._entrance.browser_of(visit.request)
        options = ""
        if factors.passkeys and browser is not None:
            challenge = self._factors.challenges.make(
                Purpose.PROVE, browser, account_id=visit.account.id
            )
            options = self._factors.passkeys.request_options(challenge, factors.passkeys)
        return self._desk.pages.render(
            visit.request,
            "prove.html",
            session=visit.session,
            status=status,
            to=own_path(to),
            fault=fault,
            minutes=minutes,
            factors=factors,
            options=options,
        )
