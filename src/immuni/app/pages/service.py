"""Taking a pause from exposure notifications, and getting the service to work again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.app.pages.answers import go_to, read_form
from immuni.app.pages.remedies import REMEDIES, Remedy
from immuni.app.pages.screens import Screens
from immuni.app.status import ServiceIssue

PAUSES: Final = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=8))
_WITHOUT_END: Final = "without-end"


@dataclass(frozen=True, slots=True)
class ServicePages:
    """One page for the pause; one page for each thing that keeps the service from working."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/service/pause", self.pause),
            Route("/service/pause", self.take_pause, methods=["POST"]),
            Route("/service/resume", self.resume, methods=["POST"]),
            Route("/service/reactivate", self.reactivate),
            Route("/service/reactivate", self.take_step, methods=["POST"]),
        ]

    async def pause(self, request: Request) -> Response:
        """Ask for how long."""
        hours = [pause // timedelta(hours=1) for pause in PAUSES]
        return self.screens.show(request, "service/pause.html", hours=hours, endless=_WITHOUT_END)

    async def take_pause(self, request: Request) -> Response:
        """Pause for as long as the user chose."""
        chosen = (await read_form(request)).get("hours", "")
        lengths = {str(pause // timedelta(hours=1)): pause for pause in PAUSES}
        if chosen == _WITHOUT_END:
            await self.screens.phone.pause(None)
        elif chosen in lengths:
            await self.screens.phone.pause(self.screens.phone.clock.now() + lengths[chosen])
        else:
            return go_to("/service/pause")
        return go_to("/")

    async def resume(self, _request: Request) -> Response:
        """End a pause before its time."""
        await self.screens.phone.switch_on()
        return go_to("/")

    async def reactivate(self, request: Request) -> Response:
        """Show the next step on the way to a service that works; home where there is none."""
        return self._step(request, after=request.query_params.get("after"))

    async def take_step(self, request: Request) -> Response:
        """Do what can be done for the user, and go on where it worked."""
        form = await read_form(request)
        step = next((issue for issue in REMEDIES if issue == form.get("step")), None)
        if step is None:
            return go_to("/service/reactivate")
        if REMEDIES[step].is_done_by_app:
            await self.screens.phone.switch_on()
        if step in self.screens.phone.status().issues:
            return self._page(request, step, is_refused=True)
        return self._step(request, after=None)

    def _step(self, request: Request, *, after: str | None) -> Response:
        issues = self.screens.phone.status().issues
        # One that cannot be ended at once is passed over; those are told in a fixed order.
        passed = next((issue for issue in ServiceIssue if issue == after), None)
        order = list(ServiceIssue)
        first = 0 if passed is None else order.index(passed) + 1
        step = next((issue for issue in order[first:] if issue in issues), None)
        return go_to("/") if step is None else self._page(request, step)

    def _page(self, request: Request, step: ServiceIssue, *, is_refused: bool = False) -> Response:
        language = self.screens.language(request)
        remedy: Remedy = REMEDIES[step]
        return self.screens.show(
            request,
            "service/step.html",
            step=step,
            title=language.text(remedy.title),
            text=language.text(remedy.text),
            hints=[language.text(hint) for hint in remedy.hints],
            button=language.text(remedy.button),
            picture=remedy.picture,
            is_seen_at_once=remedy.is_seen_at_once,
            is_refused=is_refused,
        )
