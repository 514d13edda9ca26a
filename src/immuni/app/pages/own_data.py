"""What the phone knows of its owner: what was sent, all of it to take away, and its end."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.app.own_data import as_json
from immuni.app.pages.answers import go_to
from immuni.app.pages.screens import Screens
from immuni.app.pages.words import sent_message
from immuni.framework import KeyStoreError, StoreError

_DOWNLOAD: Final = {
    "Content-Disposition": 'attachment; filename="immuni-my-data.json"',
    "Content-Type": "application/json",
}


@dataclass(frozen=True, slots=True)
class OwnDataPages:
    """One page that shows, one that asks twice before everything is deleted."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/own-data", self.show),
            Route("/own-data/download", self.download, methods=["POST"]),
            Route("/own-data/delete", self.question),
            Route("/own-data/delete", self.delete, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show what was sent, and what can be done."""
        language = self.screens.language(request)
        sent = [
            {"day": language.day(each.day), "message": sent_message(each, language)}
            for each in self.screens.phone.record.sent
        ]
        return self.screens.show(request, "own_data/index.html", sent=sent)

    async def download(self, _request: Request) -> Response:
        """Hand everything out as a file: by a form, so that no other site can lead here."""
        return Response(as_json(await self.screens.phone.own_data()), headers=_DOWNLOAD)

    async def question(self, request: Request) -> Response:
        """Ask a second time."""
        return self.screens.show(request, "own_data/delete.html", is_refused=False)

    async def delete(self, request: Request) -> Response:
        """Delete everything, and begin anew."""
        try:
            await self.screens.phone.delete_everything()
        except (StoreError, KeyStoreError):
            page = self.screens.show(request, "own_data/delete.html", is_refused=True)
            page.status_code = HTTPStatus.INTERNAL_SERVER_ERROR
            return page
        return go_to("/")
