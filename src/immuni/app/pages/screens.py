"""From a template and values to a page, in the language of whoever looks at it."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from immuni.api import Territory
from immuni.app.pages.hyphens import parted
from immuni.app.pages.language import Language, language_of, preferred_language
from immuni.app.phone import Phone
from immuni.web.languages import translatable
from immuni.web.static_files import StaticFiles
from immuni.web.templates import templates_of

_STATIC_FOLDER: Final = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Screens:
    """Renders the pages of one phone.

    Attributes:
        phone: Whose pages.
        device_name: What stands below the phone on a wide window.
        zone: The time zone in which times of day are shown; None means the machine's.
        territory: The provinces to choose from.
    """

    phone: Phone
    device_name: str
    zone: tzinfo | None
    territory: Territory

    def show(self, request: Request, template: str, **values: object) -> HTMLResponse:
        """Return a page."""
        return HTMLResponse(self.render(request, template, **values))

    def render(self, request: Request, template: str, **values: object) -> str:
        """Return the text of a page, or of a part of one."""
        language = self.language(request)
        page = (
            _environment(language.code)
            .get_template(template)
            .render(
                device_name=self.device_name,
                language=language.tag,
                came_from=_came_from(request),
                **values,
            )
        )
        return parted(page, language.code)

    def language(self, request: Request) -> Language:
        """Return the language that the user chose, or else the one that the browser prefers."""
        chosen = self.phone.record.language
        return language_of(chosen or preferred_language(request.headers.get("accept-language", "")))

    def province(self, request: Request) -> str:
        """Return the name of the province that the user lives in, or that they live abroad."""
        code = self.phone.record.province
        if code == self.territory.abroad:
            return self.language(request).text(translatable("I live abroad"))
        return next((each.name for each in self.territory.provinces() if each.code == code), "")

    def moment(self, request: Request, instant: datetime | None) -> str | None:
        """Write an instant for whoever asks, None for none."""
        if instant is None:
            return None
        return self.language(request).moment(instant, now=self.phone.clock.now(), zone=self.zone)


def _came_from(request: Request) -> str:
    """Return the path of our page that led here, home when another one or none did."""
    referrer = urlsplit(request.headers.get("referer", ""))
    is_ours = referrer.netloc == request.url.netloc and referrer.path != request.url.path
    # A path that begins with two slashes would lead to another host.
    return "/" + referrer.path.lstrip("/") if is_ours else "/"


@cache
def _environment(code: str) -> Environment:
    environment = templates_of("immuni.app.pages", language_of(code).catalogue)
    environment.globals["asset"] = static_files().marked_path
    return environment


@cache
def static_files() -> StaticFiles:
    """Return style sheets, scripts, fonts and pictures, read once."""
    return StaticFiles(_STATIC_FOLDER)
