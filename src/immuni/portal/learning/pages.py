"""The pages from which operators learn the procedure."""

from starlette.responses import Response
from starlette.routing import Route

from immuni.otp import ALPHABET, LOOK_ALIKES
from immuni.portal.accounts.roles import Permission
from immuni.portal.authorising.form import lifetime_seconds, show_speaking
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit


class LearningPages:
    """Help: the procedure, what goes wrong, and what to say then."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [self._door.page("/help", self.help, needs=Permission.BE_HERE)]

    async def help(self, visit: Visit) -> Response:
        """Show everything on one page, so that nobody needs to search."""
        return show_speaking(
            self._desk,
            visit,
            "help.html",
            alphabet=ALPHABET,
            look_alikes=LOOK_ALIKES,
            lifetime_seconds=lifetime_seconds(self._desk),
        )
