"""Showing the rest of who one is after the password, or showing it once more."""

import math
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
        self, desk: Desk, *, door: Door, entrance: Entrance, authenticator: Authenticator
    ) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._entrance = entrance
        self._authenticator = authenticator

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._door.page, Permission.BE_HERE
        return [
            page("/prove", self.show, needs=needs, half=True),
            page("/prove/password", self.prove_password, needs=needs, method="POST"),
        ]

    async def ask(self, _request: Request, error: Exception) -> Response:
        """Lead whoever has to show who they are to the page that asks."""
        back = error.back if isinstance(error, ProofWantedError) else "/"
        return self._entrance.to(f"/prove?{urlencode({'to': back})}")

    async def show(self, visit: Visit) -> Response:
        """Ask."""
        return self._page(visit, to=visit.request.query_params.get("to", "/"))

    async def prove_password(self, visit: Visit) -> Response:
        """Take the password once more."""
        to = visit.form.get("to", "/")
        try:
            await self._authenticator.authenticate(
                user=visit.account.user,
                password=visit.form.get("password", ""),
                source=subscriber_of(source_of(visit.request.scope)),
                browser=self._entrance.browser_of(visit.request),
                action=Action.PROOF,
            )
        except SignInRefusedError:
            return self._page(visit, to=to, fault="refused", status=HTTPStatus.UNAUTHORIZED)
        except TooManyAttemptsError as error:
            return self._wait(visit, to, error.wait.total_seconds())
        except PasswordsBusyError:
            return self._page(visit, to=to, fault="busy", status=HTTPStatus.SERVICE_UNAVAILABLE)
        return await self._entrance.go_on(visit.session, Proof.PASSWORD, own_path(to))

    def _wait(self, visit: Visit, to: str, seconds: float) -> Response:
        answer = self._page(
            visit,
            to=to,
            fault="wait",
            minutes=math.ceil(seconds / 60),
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )
        answer.headers["Retry-After"] = str(math.ceil(seconds))
        return answer

    def _page(
        self,
        visit: Visit,
        *,
        to: str,
        fault: str = "",
        minutes: int = 0,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        return self._desk.pages.render(
            visit.request,
            "prove.html",
            session=visit.session,
            status=status,
            to=own_path(to),
            fault=fault,
            minutes=minutes,
        )
