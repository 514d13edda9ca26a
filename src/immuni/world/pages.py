"""The page of the world: what it shows, and what can be done on it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from gettext import NullTranslations
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from immuni.app.pages.answers import go_to, read_form
from immuni.app.pages.entrance import Entrance
from immuni.app.pages.guard import Guard
from immuni.app.secret import InstallationSecret
from immuni.otp import Otp, grouped
from immuni.web.static_files import StaticFiles
from immuni.web.templates import templates_of
from immuni.world.chronicle import without_repetition
from immuni.world.guide import patient
from immuni.world.place import Place
from immuni.world.sight import Inhabitant
from immuni.world.world import World

_STATIC_FOLDER: Final = Path(__file__).parent / "static"
_DURATIONS: Final = {"1": "1 hour", "8": "8 hours", "24": "1 day"}
_NIGHT: Final = frozenset({*range(20, 24), *range(6)})


@dataclass(frozen=True, slots=True)
class Portal:
    """Where an operator may authorise by hand, and as whom."""

    url: str
    user: str
    password: str


def create_world_pages(
    world: World, *, public_url: str, secret: InstallationSecret, portal: Portal
) -> Starlette:
    """Return the page of a world.

    Args:
        world: What it shows and moves.
        public_url: Where it is served, ``http://name:port``; requests for another name are
            refused.
        secret: Whoever has it may look on and move the world, and with it gets the phones' links.
        portal: Told on the page, for whoever wants to authorise by hand.
    """
    pages = WorldPages(world, portal, page_templates())
    entrance = Entrance(pages, secret)
    frames = [_origin(each.url) for each in world.inhabitants]
    return Starlette(
        routes=[*entrance.routes(), *pages.routes(), StaticFiles(_STATIC_FOLDER).route()],
        middleware=[
            Middleware(Guard, origin=_origin(public_url), frames=frames),
            entrance.door(),
        ],
    )


@dataclass(frozen=True, slots=True)
class WorldPages:
    """One page, and its parts anew whenever something has changed."""

    world: World
    portal: Portal
    templates: Environment

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.page),
            Route("/news", self.news),
            Route("/place", self.place, methods=["POST"]),
            Route("/time", self.time, methods=["POST"]),
            Route("/authorise", self.authorise, methods=["POST"]),
            Route("/again", self.again, methods=["POST"]),
            Route("/phones/{label}/set-up", self.set_up, methods=["POST"]),
            Route("/phones/{label}/network", self.network, methods=["POST"]),
            Route("/phones/{label}/bluetooth", self.bluetooth, methods=["POST"]),
        ]

    def show(self, request: Request, template: str, **values: object) -> Response:
        """Show a page of the door, which is the same for everybody."""
        del request
        return HTMLResponse(self._render(template, values))

    async def page(self, _request: Request) -> Response:
        """Show the whole page, with both phones in it."""
        return HTMLResponse(self._render("world.html", self._values()))

    async def news(self, request: Request) -> Response:
        """Answer the page that asks whether anything has changed since it was shown."""
        values = self._values()
        if values["digest"] == request.query_params.get("shown"):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return HTMLResponse(self._render("changed.html", values))

    async def place(self, request: Request) -> Response:
        """Lay the phones near each other or apart."""
        self.world.place(_one_of(Place, (await read_form(request)).get("place", "")))
        return self._done(request)

    async def time(self, request: Request) -> Response:
        """Let hours pass."""
        hours = (await read_form(request)).get("hours", "")
        if hours not in _DURATIONS:
            raise HTTPException(HTTPStatus.BAD_REQUEST)
        await self.world.pass_time(timedelta(hours=int(hours)))
        return self._done(request)

    async def authorise(self, request: Request) -> Response:
        """Let an operator authorise the code."""
        await self.world.authorise()
        return self._done(request)

    async def again(self, request: Request) -> Response:
        """Begin the story anew, and show both phones as they are then."""
        await self.world.start_again()
        return self._done(request, opened=self.world.inhabitants)

    async def set_up(self, request: Request) -> Response:
        """Complete a phone's welcome pages, and show its home screen."""
        inhabitant = self._inhabitant(request)
        await self.world.set_up(inhabitant)
        return self._done(request, opened=[inhabitant])

    async def network(self, request: Request) -> Response:
        """Let a phone reach the servers, or not."""
        is_on = (await read_form(request)).get("on") == "yes"
        self.world.switch_network(self._inhabitant(request), on=is_on)
        return self._done(request)

    async def bluetooth(self, request: Request) -> Response:
        """Switch a phone's Bluetooth on or off."""
        is_on = (await read_form(request)).get("on") == "yes"
        await self.world.switch_bluetooth(self._inhabitant(request), on=is_on)
        return self._done(request)

    def _inhabitant(self, request: Request) -> Inhabitant:
        for each in self.world.inhabitants:
            if each.label == request.path_params["label"]:
                return each
        raise HTTPException(HTTPStatus.NOT_FOUND)

    def _done(self, request: Request, *, opened: Sequence[Inhabitant] = ()) -> Response:
        """Answer a script with what has changed, and a browser without scripts with the page."""
        if "hx-request" not in request.headers:
            return go_to("/")
        values = {**self._values(), "opened": opened}
        return HTMLResponse(self._render("changed.html", values))

    def _values(self) -> dict[str, object]:
        look = self.world.look()
        steps, entries = self.world.story(look), self.world.chronicle()
        ill = patient(look)
        local = look.now.astimezone()
        shown: dict[str, object] = {
            "place": look.place,
            "phones": look.phones,
            "is_time_passing": look.is_time_passing,
            "day": _day(local),
            "time": f"{local:%H:%M}",
            "is_night": local.hour in _NIGHT,
            "steps": steps,
            "upcoming": next((step for step in steps if not step.is_done), None),
            "entries": [(_moment(each.at), each) for each in without_repetition(entries)],
            "ill": ill,
            "code": None if ill.code is None else grouped(Otp(ill.code)),
            "is_authorised": ill.code is not None and ill.code == look.authorised,
        }
        return {**shown, "digest": _digest(shown), "is_update": False, "opened": ()}

    def _render(self, template: str, values: Mapping[str, object]) -> str:
        return self.templates.get_template(template).render(
            inhabitants=self.world.inhabitants,
            places=list(Place),
            durations=_DURATIONS,
            portal=self.portal,
            **values,
        )


def page_templates() -> Environment:
    """Return the templates of the page; among them the App's icons and people."""
    environment = templates_of("immuni.world", NullTranslations())
    # The App's icons and people, so that this world and the phones in it are of one kind.
    own = environment.loader
    assert own is not None  # noqa: S101 - for the type alone
    environment.loader = ChoiceLoader([own, PackageLoader("immuni.app.pages")])
    return environment


def _one_of(places: type[Place], name: str) -> Place:
    try:
        return places(name)
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _day(local: datetime) -> str:
    return f"{local:%A} {local.day} {local:%B}"


def _moment(at: datetime) -> str:
    local = at.astimezone()
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def _digest(shown: Mapping[str, object]) -> str:
    """Return a short name for everything that the page shows."""
    # What is seen changes with every moment; of the time itself only what is shown counts.
    return hashlib.sha256(msgspec.json.encode(shown, enc_hook=str)).hexdigest()[:16]
