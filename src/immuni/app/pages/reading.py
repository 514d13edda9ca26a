"""The pages that one reads; they are open before the onboarding is complete, too."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni import __version__
from immuni.app.pages.screens import Screens

_TEMPLATES: Final = {
    "/how-it-works": "how_it_works.html",
    "/privacy": "privacy.html",
    "/terms": "terms.html",
}


@dataclass(frozen=True, slots=True)
class ReadingPages:
    """How it works, privacy notice, terms of use, about."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/about", self.about), *(Route(path, self.read) for path in _TEMPLATES)]

    async def read(self, request: Request) -> Response:
        """Show a page to read."""
        return self.screens.show(request, _TEMPLATES[request.url.path])

    async def about(self, request: Request) -> Response:
        """Show version, licence, and where the key of the phone's data is kept."""
        phone, language = self.screens.phone, self.screens.language(request)
        return self.screens.show(
            request,
            "about.html",
            version=__version__,
            build=phone.build.number,
            key_place=language.text(phone.status().key_storage),
        )
