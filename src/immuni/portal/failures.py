"""What is shown when a request cannot be answered as it was meant."""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.door import NotAllowedError
from immuni.telemetry import logger
from immuni.web import BodyTooLargeError

_RETRY_SECONDS: Final = "5"

_log: Final = logger("portal")


class FailurePages:
    """One page for each way to fail; it says what happened and what to do now."""

    def __init__(self, desk: Desk) -> None:
        """Keep the renderer, and the trail in which refusals are told."""
        self._pages = desk.pages
        self._desk = desk

    async def not_allowed(self, request: Request, error: Exception) -> Response:
        """Tell an account of another role that a page is not for it; the trail learns of it."""
        session = None
        if isinstance(error, NotAllowedError):
            session = error.session
            await self._desk.trail.record(
                Event(
                    at=self._desk.clock.now(),
                    action=Action.PAGE,
                    outcome=Outcome.REFUSED,
                    account_id=session.account.id,
                    detail={"needs": error.needs},
                )
            )
        return self._pages.render(
            request,
            "notice.html",
            notice="other_role",
            session=session,
            status=HTTPStatus.FORBIDDEN,
        )

    async def foreign_form(self, request: Request, _error: Exception) -> Response:
        """Answer a form that belongs to another session."""
        return self._notice(request, "foreign_form", HTTPStatus.FORBIDDEN)

    async def malformed_form(self, request: Request, error: Exception) -> Response:
        """Answer a body that no form of the portal sends."""
        if isinstance(error, BodyTooLargeError):
            return self._notice(request, "failure", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self._notice(request, "failure", HTTPStatus.BAD_REQUEST)

    async def http(self, request: Request, error: Exception) -> Response:
        """Answer what the framework refuses: no such page, no such method."""
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
        return self._notice(request, "not_found", status)

    async def database(self, request: Request, error: Exception) -> Response:
        """Answer when the portal's database does not."""
        _log.error("database_unavailable", error=type(error).__name__)
        answer = self._notice(request, "unavailable", HTTPStatus.SERVICE_UNAVAILABLE)
        answer.headers["Retry-After"] = _RETRY_SECONDS
        return answer

    async def settings_service(self, request: Request, _error: Exception) -> Response:
        """Answer when the service that publishes settings for phones does not."""
        answer = self._notice(request, "no_settings", HTTPStatus.SERVICE_UNAVAILABLE)
        answer.headers["Retry-After"] = _RETRY_SECONDS
        return answer

    def _notice(self, request: Request, notice: str, status: int) -> Response:
        return self._pages.render(request, "notice.html", notice=notice, status=status)
