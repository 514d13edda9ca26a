"""The operator's screen to practise on.

Nothing here holds the way to the OTP Service, so that nothing here can reach it; and a practice
code is one that the service refuses.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.otp import LOOK_ALIKES
from immuni.portal.accounts.roles import Permission
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.authorising.form import (
    chosen_speech,
    entry_of,
    form_values,
    lifetime_seconds,
    show_speaking,
    today_at,
)
from immuni.portal.authorising.reading import Fault, parse_practice_code
from immuni.portal.authorising.rules import Entry, InvalidEntryError
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.practising.rules import TITLES, Exercise, Remark, Scenario
from immuni.portal.preferences import keep_spoken

_STATUS: Final = {Outcome.ALREADY_AUTHORISED: 409, Outcome.UNAVAILABLE: 503}
_UNPROCESSABLE: Final = 422


class PracticePages:
    """Exercises, from the code on the phone to the thanks of the app."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, practise = self._door.page, Permission.PRACTISE
        return [
            page("/practice", self.show, needs=practise),
            page("/practice", self.send, needs=practise, method="POST"),
            page("/practice/authorised", self.show_result, needs=practise),
        ]

    async def show(self, visit: Visit) -> Response:
        """Begin an exercise."""
        return self._form(visit, self._asked_for(visit), entry_of(self._desk, {}))

    async def send(self, visit: Visit) -> Response:
        """Answer as the real screen would, and say what was to be heard."""
        exercise = Exercise.of(visit.form, self._desk.entropy)
        entry, today = entry_of(self._desk, visit.form), today_at(self._desk)
        max_age = self._desk.settings.portal_max_date_age
        try:
            code, day = entry.read(parse_practice_code, today=today, max_age=max_age)
        except InvalidEntryError as error:
            return self._form(visit, exercise, entry, faults=error.faults)
        if remark := exercise.remark(code, day, entry, today=today):
            return self._form(visit, exercise, entry, remark=remark)
        outcome = exercise.outcome()
        if outcome is Outcome.UNAVAILABLE:
            return self._form(visit, exercise, entry, outcome=outcome)
        await self._record(visit, exercise)
        if outcome is Outcome.ALREADY_AUTHORISED:
            return self._form(visit, exercise, entry, outcome=outcome)
        where = urlencode({"scenario": exercise.scenario, "shown": exercise.code})
        answer = RedirectResponse(
            self._desk.site.link(f"/practice/authorised?{where}"), status_code=303
        )
        return keep_spoken(answer, self._desk.site, chosen_speech(visit))

    async def show_result(self, visit: Visit) -> Response:
        """Show what is said when the code is authorised, or when its time is over."""
        exercise = self._asked_for(visit)
        seconds = lifetime_seconds(self._desk)
        return show_speaking(
            self._desk,
            visit,
            "authorised.html",
            look_alikes=LOOK_ALIKES,
            seconds_left=0 if exercise.scenario is Scenario.TIME_OVER else seconds,
            lifetime_seconds=seconds,
            practice=exercise,
            titles=TITLES,
            plays=True,
        )

    def _form(
        self,
        visit: Visit,
        exercise: Exercise,
        entry: Entry,
        *,
        faults: Mapping[str, Fault] | None = None,
        outcome: Outcome | None = None,
        remark: Remark | None = None,
    ) -> Response:
        wrong = _UNPROCESSABLE if faults or remark else 200
        return show_speaking(
            self._desk,
            visit,
            "authorise.html",
            status=_STATUS[outcome] if outcome else wrong,
            outcome=outcome,
            limit=None,
            wait_minutes=0,
            seconds_left=0,
            is_new=False,
            practice=exercise,
            titles=TITLES,
            remark=remark,
            attempt=1 if outcome else exercise.attempt,
            plays=outcome is Outcome.ALREADY_AUTHORISED,
            **form_values(self._desk, entry, faults or {}),
        )

    def _asked_for(self, visit: Visit) -> Exercise:
        return Exercise.of(dict(visit.request.query_params), self._desk.entropy)

    async def _record(self, visit: Visit, exercise: Exercise) -> None:
        """Note that somebody practised, as an action that no quota and no total counts."""
        await self._desk.trail.record(
            Event(
                at=self._desk.clock.now(),
                action=Action.PRACTICE,
                outcome=Outcome.DONE,
                account_id=visit.account.id,
                detail={"scenario": exercise.scenario.value},
            )
        )
