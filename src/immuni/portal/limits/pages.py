"""``/watch``: warnings, and the switches that stop people."""

from datetime import date
from typing import Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Handler, Visit
from immuni.portal.limits.authority import OutOfReachError
from immuni.portal.limits.rules import Scope
from immuni.portal.limits.switches import Switches
from immuni.portal.limits.watching import watched_by

_MAX_REASON: Final = 200
_MORE: Final = (10, 25, 50, 100)
_RELEASED: Final = "released"
_STOPPED: Final = "stopped"
_MAX_ID: Final = 2**63 - 1


class WatchPages:
    """Warnings and stops, for whoever looks after an organisation or all of them."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._switches = Switches(desk)

    def routes(self) -> list[Route]:
        """Return the routes."""

        def post(path: str, handler: Handler, *, fresh: bool = False) -> Route:
            return self._door.page(path, handler, needs=Permission.STOP, method="POST", fresh=fresh)

        return [
            self._door.page("/watch", self.show, needs=Permission.STOP),
            post("/watch/stop", self.stop),
            # To stop is never late; to let go on may be what a thief wants.
            post("/watch/release", self.release, fresh=True),
            post("/watch/allow", self.allow, fresh=True),
            post("/watch/seen", self.seen),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show what waits for somebody, and who is stopped."""
        return await self._page(visit)

    async def stop(self, visit: Visit) -> Response:
        """Stop an operator, an organisation, or everybody."""
        reason = visit.form.get("reason", "").strip()
        scope, subject_id = _whom(visit.form.get("whom", ""))
        if scope is None or not 0 < len(reason) <= _MAX_REASON:
            return await self._page(visit, fault="whom" if scope is None else "reason")
        if scope is Scope.EVERYTHING and "sure" not in visit.form:
            return await self._page(visit, fault="sure")
        try:
            target = await self._switches.target(scope, subject_id)
            await self._switches.stop(visit.account, target, reason=reason)
        except OutOfReachError:
            return await self._page(visit, fault="reach")
        return self._back(f"?{_STOPPED}")

    async def release(self, visit: Visit) -> Response:
        """Let somebody go on."""
        try:
            await self._switches.release(visit.account, _number(visit.form.get("id", "")))
        except OutOfReachError:
            return await self._page(visit, fault="reach")
        return self._back(f"?{_RELEASED}")

    async def allow(self, visit: Visit) -> Response:
        """Let somebody authorise more today."""
        scope, subject_id = _whom(visit.form.get("whom", ""))
        more = _number(visit.form.get("more", ""))
        if scope is None or more not in _MORE:
            return await self._page(visit, fault="more")
        try:
            target = await self._switches.target(scope, subject_id)
            allowed = await self._switches.allow(
                visit.account, target, more=more, day=self._today()
            )
        except OutOfReachError:
            return await self._page(visit, fault="reach")
        return self._back() if allowed else await self._page(visit, fault="more")

    async def seen(self, visit: Visit) -> Response:
        """Take a warning off the list of those that wait."""
        await self._switches.seen(visit.account, _number(visit.form.get("id", "")))
        return self._back()

    async def _page(self, visit: Visit, *, fault: str = "") -> Response:
        watched = await watched_by(self._desk.pool, visit.account, today=self._today())
        return self._desk.pages.render(
            visit.request,
            "watch.html",
            session=visit.session,
            status=422 if fault else 200,
            watched=watched,
            fault=fault,
            released=_RELEASED in visit.request.query_params,
            stopped=_STOPPED in visit.request.query_params,
            typed=visit.form,
            more=_MORE,
            whole=visit.account.role.whole_authority,
            small=self._desk.settings.portal_small_count,
            zone=self._desk.settings.portal_time_zone,
        )

    def _today(self) -> date:
        return self._desk.clock.now().astimezone(self._desk.settings.portal_time_zone).date()

    def _back(self, query: str = "") -> RedirectResponse:
        return RedirectResponse(self._desk.site.link("/watch") + query, status_code=303)


def _whom(text: str) -> tuple[Scope | None, int | None]:
    """Read ``account 12``, ``organisation 3`` or ``everything``; no scope where it is none."""
    scope, _, number = text.partition(" ")
    if text == Scope.EVERYTHING:
        return Scope.EVERYTHING, None
    if scope in (Scope.ACCOUNT, Scope.ORGANISATION) and _number(number):
        return Scope(scope), _number(number)
    return None, None


def _number(text: str) -> int:
    """Read a number of the database; 0, which nothing has, where it is none."""
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    return number if number <= _MAX_ID else 0
