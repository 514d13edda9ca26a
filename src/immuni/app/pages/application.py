"""The App's pages as one web application, for the browser engine of this device."""

from collections.abc import Awaitable, Callable
from datetime import tzinfo
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from immuni.api import Territory, italy
from immuni.app.pages.advice import AdvicePages
from immuni.app.pages.answers import go_to
from immuni.app.pages.entrance import Entrance
from immuni.app.pages.guard import Guard
from immuni.app.pages.home import HomePages
from immuni.app.pages.installing import manifest_route
from immuni.app.pages.notifications import NotificationPages
from immuni.app.pages.onboarding import OnboardingPages
from immuni.app.pages.own_data import OwnDataPages
from immuni.app.pages.presence import Presence
from immuni.app.pages.reading import ReadingPages
from immuni.app.pages.screens import Screens, static_files
from immuni.app.pages.service import ServicePages
from immuni.app.pages.settings import SettingsPages
from immuni.app.pages.support import SupportPages
from immuni.app.pages.upload import UploadPages
from immuni.app.phone import Phone
from immuni.app.secret import InstallationSecret
from immuni.device import DeviceUnreachableError
from immuni.web.languages import translatable

_Handler = Callable[[Request], Awaitable[Response]]

_LOST: Final = (
    translatable("There is nothing here"),
    translatable("This page does not exist. Home is just one step away."),
)
_BROKEN: Final = (
    translatable("Something went wrong"),
    translatable("This is not your fault, and nothing is lost. Please try again."),
)


_UNREACHABLE: Final = (
    translatable("Immuni cannot do that now"),
    translatable(
        "The part of Immuni that exchanges codes is not running. Nothing is lost. Please try again "
        "in a minute; restarting the device may help."
    ),
)


def create_pages(
    phone: Phone,
    *,
    public_url: str,
    secret: InstallationSecret,
    device_name: str | None = None,
    look_around: Callable[[], Awaitable[None]] | None = None,
    zone: tzinfo | None = None,
    territory: Territory | None = None,
    framed_by: str | None = None,
) -> Starlette:
    """Return the pages of one phone.

    Args:
        phone: What they show, and whose methods they call.
        public_url: Where they are served, ``http://name:port``; requests for another name are
            refused.
        secret: Whoever has it may look at them, and nobody else.
        device_name: What stands below the phone on a wide window; None takes it from the URL.
        look_around: Finds out how things are on the device, before anything is shown.
        zone: The time zone in which times of day are shown; None means that of the machine.
        territory: The provinces to choose from; None means Italy's.
        framed_by: The one origin, of the same site, that may show the pages in a frame.
    """
    origin = urlsplit(public_url)
    name = device_name or (origin.hostname or "").partition(".")[0]
    screens = Screens(phone, name, zone, territory or italy())
    entrance = Entrance(screens, secret)
    served = [
        *AdvicePages(screens).routes(),
        *ServicePages(screens).routes(),
        *SettingsPages(screens).routes(),
        *UploadPages(screens).routes(),
    ]
    inside = [*(_before_the_end(route, phone) for route in served), *OwnDataPages(screens).routes()]
    outside = [
        *entrance.routes(),
        *HomePages(screens).routes(),
        *NotificationPages(screens).routes(),
        *(_before_the_end(route, phone) for route in OnboardingPages(screens).routes()),
        *ReadingPages(screens).routes(),
        *SupportPages(screens).routes(),
    ]
    pages = [*outside, *(_after_onboarding(route, phone) for route in inside)]
    return Starlette(
        routes=[*pages, manifest_route(), static_files().route()],
        middleware=[
            Middleware(Guard, origin=f"{origin.scheme}://{origin.netloc}", framed_by=framed_by),
            entrance.door(),
            *([Middleware(_LookingAround, look_around=look_around)] if look_around else []),
            Middleware(Presence, phone=phone),
        ],
        exception_handlers={
            HTTPException: _refusal_page(screens),
            DeviceUnreachableError: _unreachable_page(screens),
            Exception: _fault_page(screens),
        },
    )


def _after_onboarding(route: Route, phone: Phone) -> Route:
    """Return `route` behind the onboarding: until that is complete, everything leads there."""
    return _home_where(route, lambda: phone.next_onboarding_step() is not None)


def _before_the_end(route: Route, phone: Phone) -> Route:
    """Return `route` as long as there is a service: from its end on, everything leads home."""
    return _home_where(route, lambda: phone.ending.has_come)


def _home_where(route: Route, leads_home: Callable[[], bool]) -> Route:
    inner: _Handler = route.endpoint

    async def handler(request: Request) -> Response:
        return go_to("/") if leads_home() else await inner(request)

    return Route(route.path, handler, methods=route.methods)


def _refusal_page(screens: Screens) -> Callable[[Request, Exception], Response]:
    def page(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
        return _problem(screens, request, _LOST, HTTPStatus(status))

    return page


def _unreachable_page(screens: Screens) -> Callable[[Request, Exception], Response]:
    def page(request: Request, _error: Exception) -> Response:
        return _problem(screens, request, _UNREACHABLE, HTTPStatus.SERVICE_UNAVAILABLE)

    return page


class _LookingAround:
    """Finds out how things are before each page."""

    def __init__(self, app: ASGIApp, *, look_around: Callable[[], Awaitable[None]]) -> None:
        self._app = app
        self._look_around = look_around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            await self._look_around()
        await self._app(scope, receive, send)


def _fault_page(screens: Screens) -> Callable[[Request, Exception], Response]:
    def page(request: Request, _error: Exception) -> Response:
        return _problem(screens, request, _BROKEN, HTTPStatus.INTERNAL_SERVER_ERROR)

    return page


def _problem(
    screens: Screens, request: Request, words: tuple[str, str], status: HTTPStatus
) -> Response:
    language = screens.language(request)
    title, text = (language.text(each) for each in words)
    page = screens.show(request, "problem.html", title=title, text=text)
    page.status_code = status
    return page
