"""The list of people, one of them, and what can be done."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.portal.accounts.account import Account, InvalidNameError, parse_name
from immuni.portal.accounts.roles import Permission, Role
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.factors.store import FactorStore
from immuni.portal.people.managing import Manager
from immuni.portal.people.rules import (
    Change,
    NobodyError,
    Person,
    Refusal,
    RefusedError,
    require_managing,
    roles_given_by,
)
from immuni.portal.people.store import PAGE_SIZE, PeopleStore, Search

_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_MAX_PAGE: Final = 100_000
_STATES: Final = ("active", "deactivated")


class PeoplePages:
    """Who may enter the portal, and as what."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._store = PeopleStore(desk.pool)
        self._manager = Manager(desk)
        self._factors = FactorStore(desk.pool, desk.trail)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs, one = self._door.page, Permission.MANAGE_PEOPLE, "/people/{id:int}"
        manager = self._manager
        return [
            page("/people", self.show, needs=needs),
            page(one, self.show_one, needs=needs),
            page(one, self.change, needs=needs, method="POST", fresh=True),
            *(
                page(f"{one}/{name}", self._doing(do), needs=needs, method="POST", fresh=True)
                for name, do in (
                    ("deactivate", manager.deactivate),
                    ("reactivate", manager.reactivate),
                    ("end-sessions", manager.end_sessions),
                    ("reset-factors", manager.reset_factors),
                )
            ),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show those whom the account looks after, fifty at a time."""
        search = _search_of(visit.request.query_params)
        people, total = await self._store.people(visit.account, search)
        first = (search.page - 1) * PAGE_SIZE + 1
        return self._desk.pages.render(
            visit.request,
            "people.html",
            session=visit.session,
            people=people,
            total=total,
            first=min(first, total),
            last=min(first + PAGE_SIZE - 1, total),
            previous=_path_of(search, search.page - 1) if search.page > 1 else "",
            next=_path_of(search, search.page + 1) if first + PAGE_SIZE <= total else "",
            search=search,
            roles=list(Role),
            organisations=await self._store.organisations(visit.account),
        )

    async def show_one(self, visit: Visit) -> Response:
        """Show one person."""
        return await self._one(visit, await self._person(visit))

    async def change(self, visit: Visit) -> Response:
        """Change role, organisation or name, or say why not."""
        person = await self._person(visit)
        try:
            change = _change_of(visit.form)
            await self._manager.change(visit.account, person.id, change)
        except RefusedError as error:
            return await self._one(visit, person, refusal=error.refusal)
        return self._to(f"/people/{person.id}?done")

    def _doing(
        self, do: Callable[[Account, int], Awaitable[None]]
    ) -> Callable[[Visit], Awaitable[Response]]:
        async def handler(visit: Visit) -> Response:
            person = await self._person(visit)
            try:
                await do(visit.account, person.id)
            except RefusedError as error:
                return await self._one(visit, person, refusal=error.refusal)
            return self._to(f"/people/{person.id}?done")

        return handler

    async def _person(self, visit: Visit) -> Person:
        try:
            return await self._store.person(visit.account, visit.request.path_params["id"])
        except NobodyError as error:
            raise HTTPException(404) from error

    async def _one(
        self, visit: Visit, person: Person, *, refusal: Refusal | None = None
    ) -> Response:
        return self._desk.pages.render(
            visit.request,
            "person.html",
            session=visit.session,
            status=403 if refusal else 200,
            person=person,
            refusal=refusal,
            done="done" in visit.request.query_params,
            managed=_manages(visit.account, person),
            typed=visit.form,
            roles=roles_given_by(visit.account),
            organisations=await self._store.organisations(visit.account),
            factors=await self._factors.factors_of(person.id),
            last_sign_in=await self._store.last_sign_in(person.id),
            zone=self._desk.settings.portal_time_zone,
        )

    def _to(self, path: str) -> RedirectResponse:
        return RedirectResponse(self._desk.site.link(path), status_code=303)


def number_of(text: str) -> int | None:
    """Return a number that a form or an address holds; None where it is none of ours."""
    return int(text) if _NUMBER.fullmatch(text) else None


def role_of(text: str) -> Role:
    """Return a role that a form holds.

    Raises:
        RefusedError: There is none of that name.
    """
    try:
        return Role(text)
    except ValueError:
        raise RefusedError(Refusal.ROLE_UNKNOWN) from None


def _change_of(form: Mapping[str, str]) -> Change:
    organisation_id = number_of(form.get("organisation", ""))
    if organisation_id is None:
        raise RefusedError(Refusal.ORGANISATION_UNKNOWN)
    try:
        name = parse_name(form.get("name", ""))
    except InvalidNameError:
        raise RefusedError(Refusal.NAME_INVALID) from None
    return Change(role=role_of(form.get("role", "")), organisation_id=organisation_id, name=name)


def _manages(actor: Account, person: Person) -> bool:
    try:
        require_managing(actor, person)
    except RefusedError:
        return False
    return True


def _search_of(query: Mapping[str, str]) -> Search:
    role, state = query.get("role", ""), query.get("state", "")
    page = number_of(query.get("page", "")) or 1
    return Search(
        text=query.get("text", "").replace("\x00", "").strip()[:80],
        role=role if role in {*Role} else "",
        state=state if state in _STATES else "",
        organisation_id=number_of(query.get("organisation", "")),
        page=min(page, _MAX_PAGE),
    )


def _path_of(search: Search, page: int) -> str:
    query = {
        "text": search.text,
        "role": search.role,
        "state": search.state,
        "organisation": search.organisation_id or "",
        "page": page,
    }
    return "/people?" + urlencode({name: value for name, value in query.items() if value})
