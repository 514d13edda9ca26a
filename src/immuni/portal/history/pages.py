"""``/day``: an operator's own day. ``/totals``: what an organisation did, by day."""

from datetime import date, datetime, time, timedelta
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.history.rules import totals_of
from immuni.portal.history.store import HistoryStore

_DAYS: Final = 28
_MOST: Final = 500


class HistoryPages:
    """What was done, without the codes."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._store = HistoryStore(desk.pool)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            self._door.page("/day", self.show_day, needs=Permission.SEE_OWN_DAY),
            self._door.page("/totals", self.show_totals, needs=Permission.SEE_TOTALS),
        ]

    async def show_day(self, visit: Visit) -> Response:
        """Show what the operator did since midnight."""
        zone = self._desk.settings.portal_time_zone
        midnight = datetime.combine(self._today(), time(), zone)
        done = await self._store.own_day(visit.account.id, since=midnight, most=_MOST)
        return self._desk.pages.render(
            visit.request,
            "day.html",
            session=visit.session,
            today=self._today(),
            done=done,
            authorised=sum(each.outcome == "authorised" for each in done),
            zone=zone,
        )

    async def show_totals(self, visit: Visit) -> Response:
        """Show what an organisation did: one's own, or the one that was asked for."""
        whole = visit.account.role.whole_authority
        organisations = await self._store.organisations() if whole else ()
        names = dict(organisations) or {visit.account.organisation_id: visit.account.organisation}
        asked = visit.request.query_params.get("organisation", "")
        chosen = next((each for each in names if str(each) == asked), None)
        if chosen is None:
            chosen = visit.account.organisation_id
        today = self._today()
        counts = await self._store.days_of(chosen, since=today - timedelta(days=_DAYS))
        small = self._desk.settings.portal_small_count
        return self._desk.pages.render(
            visit.request,
            "totals.html",
            session=visit.session,
            organisations=organisations,
            chosen=chosen,
            name=names[chosen],
            totals=totals_of(counts, today=today, days=_DAYS, small=small),
            small=small,
        )

    def _today(self) -> date:
        return self._desk.clock.now().astimezone(self._desk.settings.portal_time_zone).date()
