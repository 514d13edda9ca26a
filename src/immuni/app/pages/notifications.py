"""Notifications in the browser, as long as a page of the App is open in it."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immuni.app.notifications import URGENT, Notification
from immuni.app.pages.deep_links import page_of
from immuni.app.pages.screens import Screens
from immuni.app.pages.words import message_of

UNTOLD_PATH: Final = "/notifications/untold"
"""The pages ask for it by themselves, again and again."""


@dataclass(frozen=True, slots=True)
class NotificationPages:
    """What the browser is to show by itself, and the page on which it may be allowed to."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(UNTOLD_PATH, self.untold, methods=["POST"]),
            Route("/settings/notifications", self.permission),
        ]

    async def untold(self, request: Request) -> Response:
        """Hand out what was not shown yet; whoever asks is taken to show it."""
        notifications: list[Notification] = []

        async def show(notification: Notification) -> bool:
            notifications.append(notification)
            return True

        stands = await self.screens.phone.teller.tell(show)
        language = self.screens.language(request)
        messages = [(each, message_of(each, language)) for each in notifications]
        untold = [
            {
                "kind": each.kind,
                "title": message.title,
                "text": message.text,
                "page": page_of(each.kind),
                "stays": each.kind in URGENT,
            }
            for each, message in messages
        ]
        return JSONResponse({"stands": stands, "untold": untold})

    async def permission(self, request: Request) -> Response:
        """Show whether the browser may notify, and let the user allow it."""
        return self.screens.show(request, "settings/notifications.html")
