"""The pages on which administrators look after organisations."""

from collections.abc import Mapping
from datetime import date

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.organisations.rules import (
    Draft,
    Fault,
    InvalidOrganisationError,
    Kind,
    NoOrganisationError,
    Organisation,
)
from immuni.portal.organisations.store import OrganisationStore


class OrganisationPages:
    """The list, one of them, and what can be done with it."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._store = OrganisationStore(desk.pool, desk.trail)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._door.page, Permission.MANAGE_ORGANISATIONS
        one = "/organisations/{id:int}"
        return [
            page("/organisations", self.show, needs=needs),
            page("/organisations/new", self.show_new, needs=needs),
            page("/organisations/new", self.add, needs=needs, method="POST", fresh=True),
            page(one, self.show_one, needs=needs),
            page(one, self.change, needs=needs, method="POST", fresh=True),
            page(f"{one}/close", self.close, needs=needs, method="POST", fresh=True),
            page(f"{one}/reopen", self.reopen, needs=needs, method="POST", fresh=True),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show all of them."""
        return self._desk.pages.render(
            visit.request,
            "organisations.html",
            session=visit.session,
            organisations=await self._store.organisations(),
            today=self._today(),
        )

    async def show_new(self, visit: Visit) -> Response:
        """Show the empty form."""
        return await self._form(visit, Draft(active_from=self._today().isoformat()))

    async def add(self, visit: Visit) -> Response:
        """Add one, or say what is wrong."""
        draft = Draft.of(visit.form)
        try:
            plan = draft.parse(regions=[each.id for each in await self._regions()])
            id_ = await self._store.add(plan, actor=visit.account, now=self._desk.clock.now())
        except InvalidOrganisationError as error:
            return await self._form(visit, draft, faults=error.faults)
        return self._to(f"/organisations/{id_}?done")

    async def show_one(self, visit: Visit) -> Response:
        """Show one of them."""
        found = await self._found(visit)
        return await self._form(visit, Draft.of_plan(found.plan), found)

    async def change(self, visit: Visit) -> Response:
        """Change one, or say what is wrong."""
        found, draft = await self._found(visit), Draft.of(visit.form)
        try:
            plan = draft.parse(regions=[each.id for each in await self._regions(found.id)])
            await self._store.change(
                found.id, plan, actor=visit.account, now=self._desk.clock.now()
            )
        except InvalidOrganisationError as error:
            return await self._form(visit, draft, found, faults=error.faults)
        return self._to(f"/organisations/{found.id}?done")

    async def close(self, visit: Visit) -> Response:
        """Close one, or say why not."""
        found = await self._found(visit)
        try:
            await self._store.close(found.id, actor=visit.account, now=self._desk.clock.now())
        except InvalidOrganisationError as error:
            return await self._form(visit, Draft.of_plan(found.plan), found, faults=error.faults)
        return self._to(f"/organisations/{found.id}?done")

    async def reopen(self, visit: Visit) -> Response:
        """Open one again."""
        found = await self._found(visit)
        await self._store.reopen(found.id, actor=visit.account, now=self._desk.clock.now())
        return self._to(f"/organisations/{found.id}?done")

    async def _found(self, visit: Visit) -> Organisation:
        try:
            return await self._store.organisation(visit.request.path_params["id"])
        except NoOrganisationError as error:
            raise HTTPException(404) from error

    async def _regions(self, other_than: int | None = None) -> list[Organisation]:
        return [
            each
            for each in await self._store.organisations()
            if each.plan.kind is Kind.REGION and each.closed_at is None and each.id != other_than
        ]

    async def _form(
        self,
        visit: Visit,
        draft: Draft,
        found: Organisation | None = None,
        *,
        faults: Mapping[str, Fault] | None = None,
    ) -> Response:
        return self._desk.pages.render(
            visit.request,
            "organisation.html",
            session=visit.session,
            status=422 if faults else 200,
            draft=draft,
            found=found,
            faults=faults or {},
            regions=await self._regions(found.id if found else None),
            done="done" in visit.request.query_params,
            today=self._today(),
        )

    def _today(self) -> date:
        return self._desk.clock.now().astimezone(self._desk.settings.portal_time_zone).date()

    def _to(self, path: str) -> RedirectResponse:
        return RedirectResponse(self._desk.site.link(path), status_code=303)
