"""The pages from which operators learn the procedure."""

from typing import Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.otp import ALPHABET, LOOK_ALIKES
from immuni.portal.accounts.roles import Permission
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.authorising.form import lifetime_seconds, show_speaking
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit

_STEPS: Final = ("1", "2", "3")
# Nobody's: its check digit is wrong.
_EXAMPLE: Final = "AEF 1234 HJK"


class LearningPages:
    """The first steps, and help: the procedure, what goes wrong, and what to say then."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, practise = self._door.page, Permission.PRACTISE
        return [
            page("/help", self.help, needs=Permission.BE_HERE),
            page("/guide", self.guide, needs=practise),
            page("/guide", self.end_guide, needs=practise, method="POST"),
        ]

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

    async def guide(self, visit: Visit) -> Response:
        """Show one of the first three steps."""
        step = visit.request.query_params.get("step", "")
        return self._desk.pages.render(
            visit.request,
            "guide.html",
            session=visit.session,
            step=int(step) if step in _STEPS else 1,
            example=_EXAMPLE,
            lifetime_seconds=lifetime_seconds(self._desk),
        )

    async def end_guide(self, visit: Visit) -> Response:
        """Remember that somebody has seen the steps, or passed them over, and go to work."""
        practise = visit.form.get("to") == "practice"
        await self._desk.trail.record(
            Event(
                at=self._desk.clock.now(),
                action=Action.GUIDE,
                outcome=Outcome.DONE,
                account_id=visit.account.id,
            )
        )
        path = self._desk.site.link("/practice" if practise else "/")
        return RedirectResponse(path, status_code=303)
