"""The home screen: the user's state first, then whether the service works."""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from immuni.app.pages.answers import go_to
from immuni.app.pages.screens import Screens
from immuni.app.pages.words import failure_text, issue_text, notification_message, system_message
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk, Neutral, Positive, UserState
from immuni.app.status import PhoneStatus, ServiceIssue
from immuni.app.system import SystemFault

_SWITCHES = frozenset(
    {ServiceIssue.SWITCHED_OFF, ServiceIssue.PAUSED, ServiceIssue.PERMISSION_MISSING}
)


@dataclass(frozen=True, slots=True)
class HomePages:
    """The home screen and what can be done on it."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.home),
            Route("/state", self.news),
            Route("/notifications/seen", self.dismiss_notification, methods=["POST"]),
        ]

    async def home(self, request: Request) -> Response:
        """Show the home screen, or what has to come before it."""
        if self.screens.phone.ending.has_come:
            return self._ended(request)
        faults = self.screens.phone.system_faults()
        if faults:
            message = system_message(faults[0], self.screens.language(request))
            picture = "bluetooth" if faults[0] is SystemFault.NO_ADAPTER else "renewed"
            return self.screens.show(request, "system.html", message=message, picture=picture)
        if ServiceIssue.UPDATE_REQUIRED in self.screens.phone.status().issues:
            return self.screens.show(request, "update.html")
        step = self.screens.phone.next_onboarding_step()
        if step is not None:
            return go_to(f"/onboarding/{step}")
        return self.screens.show(request, "home.html", tab="home", **self._values(request))

    async def news(self, request: Request) -> Response:
        """Answer the home screen that asks whether anything has changed since it was shown."""
        if self.screens.phone.ending.has_come:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Refresh": "true"})
        values = self._values(request)
        if values["digest"] == request.query_params.get("shown"):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        text = self.screens.render(request, "home_state.html", **values | {"is_update": True})
        return HTMLResponse(text)

    async def dismiss_notification(self, _request: Request) -> Response:
        """Take the notification off the screen."""
        self.screens.phone.mark_seen()
        return go_to("/")

    def _ended(self, request: Request) -> Response:
        """Show that there is no service any more; whoever sees it has been told."""
        phone, language = self.screens.phone, self.screens.language(request)
        phone.mark_seen()
        end = phone.record.settings.values.service_end_date
        return self.screens.show(
            request,
            "ended.html",
            ended_on=language.day(end) if end else "",
            is_erased=phone.ending.is_complete,
        )

    def _values(self, request: Request) -> dict[str, object]:
        phone, language = self.screens.phone, self.screens.language(request)
        status = phone.status()
        bubble = notification_message(phone.record.unseen, language)
        shown: dict[str, object] = {
            "state": state_name(status.user),
            "mood": _mood(status),
            "contact_day": "",
            "upload_day": "",
            "ends_on": "",
            "issues": [issue_text(issue, language) for issue in status.issues],
            "is_upload_open": phone.is_upload_open,
            "is_paused": status.issues == (ServiceIssue.PAUSED,),
            "paused_until": self.screens.moment(request, status.paused_until),
            "last_check": self.screens.moment(request, status.last_check),
            "failure": failure_text(status.failure, language),
            "bubble": bubble,
            "announcement": bubble.title if bubble else "",
        }
        match status.user:
            case AtRisk(last_contact_day=day):
                shown["contact_day"] = language.day(day)
                shown["ends_on"] = language.day(risk_ends_on(day, phone.record))
            case Positive(upload_day=day):
                shown["upload_day"] = language.day(day)
            case Neutral():
                pass
        return {**shown, "is_update": False, "digest": _digest(shown, language.code)}


def state_name(state: UserState) -> str:
    """Return the name by which templates and style sheets know a state."""
    match state:
        case Neutral():
            return "neutral"
        case AtRisk():
            return "at-risk"
        case Positive():
            return "positive"


def risk_ends_on(contact_day: date, record: AppRecord) -> date:
    """Return the day on which the warning of a contact goes away by itself."""
    return contact_day + timedelta(seconds=record.settings.values.risk_duration)


def _mood(status: PhoneStatus) -> str:
    """Return what the picture shows: the state, or that nobody keeps watch."""
    is_idle = isinstance(status.user, Neutral) and not status.active
    return "inactive" if is_idle else state_name(status.user)


def is_switched_on(status: PhoneStatus) -> bool:
    """Tell whether the user has the service switched on, whatever else may keep it from working."""
    return not _SWITCHES.intersection(status.issues)


def _digest(shown: dict[str, object], language: str) -> str:
    """Return a short name for everything that the screen shows."""
    return hashlib.sha256(msgspec.json.encode([shown, language])).hexdigest()[:16]
