"""The operator's one screen: a code, a day, one button, and what to say next."""

import math
from datetime import datetime, timedelta
from typing import Final

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
from immuni.portal.authorising.given import RESULT_SHOWN, GivenDay
from immuni.portal.authorising.otp_service import OtpServiceClient
from immuni.portal.authorising.reading import Fault
from immuni.portal.authorising.rules import Entry, InvalidEntryError, life_left
from immuni.portal.authorising.store import AuthorisationStore
from immuni.portal.desk import Desk
from immuni.portal.door import Door, NotAllowedError, Visit
from immuni.portal.learning.store import LearningStore
from immuni.portal.limits.guard import Guard
from immuni.portal.limits.rules import LimitReachedError
from immuni.portal.menu import menu_of
from immuni.portal.preferences import keep_spoken

_STATUS: Final = {
    Outcome.ALREADY_AUTHORISED: 409,
    Outcome.REFUSED: 422,
    Outcome.UNAVAILABLE: 503,
}


class AuthorisePages:
    """Authorising a code, and the minutes after."""

    def __init__(
        self, desk: Desk, *, door: Door, otp_client: OtpServiceClient, guard: Guard
    ) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._otp_client = otp_client
        self._guard = guard
        self._store = AuthorisationStore(desk.pool)
        self._learning = LearningStore(desk.pool)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, authorise = self._door.page, Permission.AUTHORISE
        return [
            page("/", self.show, needs=Permission.BE_HERE),
            page("/authorise", self.authorise, needs=authorise, method="POST"),
            page("/authorise", self.start_again, needs=authorise),
            page("/authorised", self.show_result, needs=authorise),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show the empty form, and the code before it while that is alive.

        Whoever has other work begins there.
        """
        if visit.account.may(Permission.AUTHORISE):
            if today_at(self._desk) < visit.account.works_from:
                return self._not_yet(visit)
            return await self._form(visit, entry_of(self._desk, {}))
        for place in menu_of(visit.account):
            # To practise is nobody's work.
            if place.needs is not Permission.PRACTISE:
                return self._to(place.path)
        raise NotAllowedError(visit.session, Permission.AUTHORISE)

    async def start_again(self, _visit: Visit) -> Response:
        """Lead whoever reloads the address of a refused form to an empty one."""
        return self._to("/")

    async def authorise(self, visit: Visit) -> Response:
        """Have a code authorised; whatever goes wrong, what was entered stays."""
        if today_at(self._desk) < visit.account.works_from:
            return self._not_yet(visit)
        entry = entry_of(self._desk, visit.form)
        try:
            authorisation = entry.parse(
                today=today_at(self._desk), max_age=self._desk.settings.portal_max_date_age
            )
        except InvalidEntryError as error:
            return await self._form(visit, entry, faults=dict(error.faults))
        try:
            place = await self._guard.reserve(visit.account)
        except LimitReachedError as error:
            return await self._form(visit, entry, limit=error)
        # The code's life is counted from before it was sent: shown too short, never too long.
        asked_at = self._desk.clock.now()
        outcome = await self._otp_client.authorise(
            authorisation, request_id=entry.request_id(authorisation)
        )
        await self._desk.trail.record(
            Event(
                at=asked_at,
                action=Action.AUTHORISATION,
                outcome=outcome,
                account_id=visit.account.id,
            )
        )
        if outcome is Outcome.AUTHORISED:
            return self._authorised(visit, GivenDay.of(authorisation))
        await self._guard.release(place)
        return await self._form(visit, entry, outcome=outcome)

    async def show_result(self, visit: Visit) -> Response:
        """Show for how long the code lives, and what to say meanwhile."""
        authorised_at = await self._store.last_authorisation(visit.account.id)
        if authorised_at is None or authorised_at < self._desk.clock.now() - RESULT_SHOWN:
            return self._to("/")
        return show_speaking(
            self._desk,
            visit,
            "authorised.html",
            look_alikes=LOOK_ALIKES,
            seconds_left=self._seconds_left(authorised_at),
            lifetime_seconds=lifetime_seconds(self._desk),
            given=GivenDay.kept_by(
                visit.request,
                self._desk.site,
                today=today_at(self._desk),
                max_age=self._desk.settings.portal_max_date_age,
            ),
            today=today_at(self._desk),
        )

    def _authorised(self, visit: Visit, given: GivenDay | None) -> Response:
        answer = keep_spoken(self._to("/authorised"), self._desk.site, chosen_speech(visit))
        if given is not None:
            given.keep(answer, self._desk.site)
        return answer

    def _not_yet(self, visit: Visit) -> Response:
        """Say from when the organisation authorises; nothing was sent."""
        return self._desk.pages.render(
            visit.request,
            "not_yet.html",
            session=visit.session,
            status=403,
            works_from=visit.account.works_from,
        )

    async def _form(
        self,
        visit: Visit,
        entry: Entry,
        *,
        faults: dict[str, Fault] | None = None,
        outcome: Outcome | None = None,
        limit: LimitReachedError | None = None,
    ) -> Response:
        authorised_at = await self._store.last_authorisation(visit.account.id)
        status = _STATUS[outcome] if outcome else (422 if faults else 200)
        if limit is not None:
            status = 429
        elif not faults and not outcome and (stop := await self._guard.stop_of(visit.account)):
            limit = LimitReachedError(stop)
        return show_speaking(
            self._desk,
            visit,
            "authorise.html",
            status=status,
            outcome=outcome,
            limit=limit.limit if limit else None,
            wait_minutes=_minutes(limit.wait) if limit and limit.wait else 0,
            seconds_left=self._seconds_left(authorised_at) if authorised_at else 0,
            is_new=await self._learning.is_new(visit.account.id),
            **form_values(self._desk, entry, faults or {}),
        )

    def _seconds_left(self, authorised_at: datetime) -> int:
        left = life_left(
            authorised_at, now=self._desk.clock.now(), lifetime=self._desk.settings.otp_lifetime
        )
        return int(left.total_seconds())

    def _to(self, path: str) -> RedirectResponse:
        return RedirectResponse(self._desk.site.link(path), status_code=303)


def _minutes(wait: timedelta) -> int:
    return math.ceil(wait / timedelta(minutes=1))
