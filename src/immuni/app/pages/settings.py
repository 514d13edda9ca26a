"""Settings: what the user can choose."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.api import UnknownProvinceError
from immuni.app.pages.answers import go_to, read_form
from immuni.app.pages.home import is_switched_on
from immuni.app.pages.language import LANGUAGES
from immuni.app.pages.screens import Screens


@dataclass(frozen=True, slots=True)
class SettingsPages:
    """The list of settings, and one page for each choice."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/settings", self.settings),
            Route("/settings/language", self.language),
            Route("/settings/language", self.choose_language, methods=["POST"]),
            Route("/settings/province", self.province),
            Route("/settings/province", self.choose_province, methods=["POST"]),
        ]

    async def settings(self, request: Request) -> Response:
        """Show the list of settings."""
        return self.screens.show(
            request,
            "settings/index.html",
            is_on=is_switched_on(self.screens.phone.status()),
            province=self.screens.province(request),
            language_name=LANGUAGES[self.screens.language(request).code],
        )

    async def language(self, request: Request) -> Response:
        """Show the languages."""
        return self.screens.show(
            request,
            "settings/language.html",
            languages=sorted(LANGUAGES.items(), key=lambda each: each[1]),
            chosen=self.screens.phone.record.language,
        )

    async def choose_language(self, request: Request) -> Response:
        """Take the user's choice; the empty one follows the system."""
        code = (await read_form(request)).get("language", "")
        if code in LANGUAGES or not code:
            self.screens.phone.choose_language(code or None)
        return go_to("/settings")

    async def province(self, request: Request) -> Response:
        """Show the provinces."""
        return self.screens.show(
            request,
            "settings/province.html",
            regions=self.screens.territory.regions,
            abroad=self.screens.territory.abroad,
            chosen=self.screens.phone.record.province,
        )

    async def choose_province(self, request: Request) -> Response:
        """Take the user's choice."""
        code = (await read_form(request)).get("province", "")
        try:
            self.screens.phone.choose_province(self.screens.territory.parse(code))
        except UnknownProvinceError:
            return go_to("/settings/province")
        return go_to("/settings")
