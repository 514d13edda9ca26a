"""Looking at settings: what is in force, what was, and who changed it."""

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from immuni.api.settings_authoring import PublishedSettings
from immuni.portal.accounts.roles import Permission
from immuni.portal.configuring.rules import Draft
from immuni.portal.configuring.service import VersionUnknownError
from immuni.portal.configuring.showing import (
    SET_LIMITS,
    Configuring,
    by_platform,
    dangers_in,
    number_in_path,
    reason_in,
)
from immuni.portal.configuring.wording import WORDINGS
from immuni.portal.door import Visit

_UNPROCESSABLE = 422


class ReadingPages:
    """The set in force, the history, and every version; from there the way back to an old one."""

    def __init__(self, parts: Configuring) -> None:
        """Keep what the pages need."""
        self._parts = parts

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._parts.door.page, Permission.MANAGE_SETTINGS
        return [
            page("/settings", self.show, needs=needs),
            page("/settings/history", self.show_history, needs=needs),
            page("/settings/versions/{version:int}", self.show_version, needs=needs),
            page(
                "/settings/versions/{version:int}",
                self.propose_version,
                needs=needs,
                method="POST",
                limits=SET_LIMITS,
            ),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show the set in force, or those settings of it whose name or meaning is asked for."""
        in_force = await self._parts.service.in_force()
        asked = visit.request.query_params.get("q", "").strip()[:100]
        return self._parts.render(
            visit,
            "settings.html",
            in_force=in_force,
            held=by_platform(in_force.entries),
            asked=asked,
            wanted=asked.casefold(),
            waiting=await self._parts.store.proposals(waiting=True),
            draft=await self._parts.store.draft_of(visit.account),
        )

    async def show_history(self, visit: Visit) -> Response:
        """Show who published what, when and why."""
        return self._parts.render(
            visit, "settings_history.html", publications=await self._parts.service.history()
        )

    async def show_version(self, visit: Visit) -> Response:
        """Show a set that is or was in force, beside another one."""
        return await self._version(visit)

    async def propose_version(self, visit: Visit) -> Response:
        """Propose that an old set comes into force again."""
        found = await self._found(number_in_path(visit, "version"))
        in_force = await self._parts.service.in_force()
        check = await self._parts.service.check(found.entries, against=in_force.version)
        reason, meant = reason_in(visit.form), dangers_in(visit.form)
        if not reason or not set(check.dangers) <= meant or not check.changes or check.faults:
            return await self._version(visit, typed=dict(visit.form), status=_UNPROCESSABLE)
        number = await self._parts.store.propose(
            visit.account,
            Draft(in_force.version, found.entries),
            reason=reason,
            dangers=check.dangers,
            now=self._parts.now,
            from_draft=False,
        )
        return self._parts.to(f"/settings/proposals/{number}")

    async def _version(
        self, visit: Visit, *, typed: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        parts, service = self._parts, self._parts.service
        number = number_in_path(visit, "version")
        found = await self._found(number)
        publications = await service.history()
        newest = publications[0].version
        against = _against(visit.request.query_params.get("against", ""), number, newest)
        # As time went: the earlier of the two stands before the later.
        before, after = sorted((number, against))
        differing = await service.check((await self._found(after)).entries, against=before)
        return parts.render(
            visit,
            "settings_version.html",
            status=status,
            found=found,
            publication=next(each for each in publications if each.version == number),
            publications=publications,
            in_force=newest,
            against=against,
            before=before,
            after=after,
            differing=differing.changes,
            check=await service.check(found.entries),
            held=by_platform(found.entries),
            names=[name for name in WORDINGS if any(each.name == name for each in found.entries)],
            typed=typed,
            reason_is_good=bool(reason_in(typed or {})),
            meant=dangers_in(typed or {}),
        )

    async def _found(self, number: int) -> PublishedSettings:
        try:
            return await self._parts.service.version(number)
        except VersionUnknownError:
            raise HTTPException(404) from None


def _against(asked: str, number: int, newest: int) -> int:
    """Return the version to compare with: as asked, else the one after or before."""
    if asked.isascii() and asked.isdecimal() and int(asked[:9]) <= newest:
        return int(asked[:9])
    return newest if number != newest else number - 1
