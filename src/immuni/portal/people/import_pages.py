"""The pages on which lists of people are imported."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.forms import FormLimits
from immuni.portal.people.import_store import ROWS_SHOWN, ImportRow, ImportState, ImportStore
from immuni.portal.people.import_verdicts import Verdict
from immuni.portal.people.importing import Importer
from immuni.portal.people.invitation_pages import join_url
from immuni.portal.people.lists import MAX_ROWS, MalformedListError, read_list, safe_cell
from immuni.portal.people.pages import number_of
from immuni.portal.people.rules import NobodyError, Refusal, RefusedError
from immuni.portal.people.store import PeopleStore

MAX_LIST_BYTES: Final = 2 * 1024 * 1024
_LIMITS: Final = FormLimits(max_body_size=MAX_LIST_BYTES, max_fields=5, files=True)
_VERDICTS: Final = frozenset({*Verdict, *Refusal})


class ImportPages:
    """A list: looked at, applied, reported on."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._people = PeopleStore(desk.pool)
        self._store = ImportStore(desk.pool)
        self._importer = Importer(desk)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs, one = self._door.page, Permission.MANAGE_PEOPLE, "/people/import/{id:int}"
        return [
            page("/people/import", self.show_form, needs=needs),
            page("/people/import", self.check, needs=needs, method="POST", limits=_LIMITS),
            page(one, self.show, needs=needs),
            page(f"{one}/report.csv", self.report, needs=needs),
            page(f"{one}/apply", self.apply, needs=needs, method="POST", fresh=True),
            page(f"{one}/links", self.links, needs=needs, method="POST", fresh=True),
        ]

    async def show_form(self, visit: Visit) -> Response:
        """Show the empty form, and the lists of before."""
        return await self._form(visit)

    async def check(self, visit: Visit) -> Response:
        """Look at a list and change nothing."""
        text = visit.form.get("file", "") or visit.form.get("list", "")
        try:
            import_id = await self._importer.check(visit.account, read_list(text))
        except MalformedListError as error:
            return await self._form(visit, fault=error)
        return self._to(f"/people/import/{import_id}")

    async def show(self, visit: Visit) -> Response:
        """Show what a list would do, or did."""
        return await self._show(visit, await self._state(visit))

    async def apply(self, visit: Visit) -> Response:
        """Do what a list says, or go on with it."""
        state = await self._state(visit)
        try:
            await self._importer.apply(visit.account, state.id)
        except RefusedError as error:
            return await self._show(visit, state, refusal=error.refusal)
        return self._to(f"/people/import/{state.id}")

    async def report(self, visit: Visit) -> Response:
        """Return what came of each row, without links."""
        state = await self._state(visit)
        rows = await self._store.rows(state.id, size=None)
        lines = [_cells(row) for row in rows]
        return _csv_file(f"immuni-import-{state.id}-report.csv", _REPORT_HEADER, lines)

    async def links(self, visit: Visit) -> Response:
        """Return a link for each new person: once, since nobody keeps them."""
        state = await self._state(visit)
        try:
            tokens = await self._importer.draw_links(visit.account, state.id)
        except RefusedError as error:
            return await self._show(visit, state, refusal=error.refusal)
        lines = [
            [*_cells(row), join_url(self._desk, tokens[row.invitation_id])]
            for row in await self._store.rows(state.id, size=None)
            if row.invitation_id in tokens
        ]
        return _csv_file(f"immuni-import-{state.id}-links.csv", (*_REPORT_HEADER, "link"), lines)

    async def _state(self, visit: Visit) -> ImportState:
        try:
            return await self._store.state(visit.account, visit.request.path_params["id"])
        except NobodyError as error:
            raise HTTPException(404) from error

    async def _form(self, visit: Visit, *, fault: MalformedListError | None = None) -> Response:
        return self._desk.pages.render(
            visit.request,
            "import.html",
            session=visit.session,
            status=422 if fault else 200,
            fault=fault,
            typed=visit.form.get("list", ""),
            max_rows=MAX_ROWS,
            imports=await self._store.imports(visit.account),
            organisations=await self._people.organisations(visit.account),
            zone=self._desk.settings.portal_time_zone,
        )

    async def _show(
        self, visit: Visit, state: ImportState, *, refusal: Refusal | None = None
    ) -> Response:
        query = visit.request.query_params
        verdict = query.get("verdict", "")
        verdict = verdict if verdict in _VERDICTS else ""
        page = number_of(query.get("page", "")) or 1
        total = state.counts.get(verdict, 0) if verdict else state.rows
        first = min((page - 1) * ROWS_SHOWN + 1, total)
        path = f"/people/import/{state.id}?verdict={verdict}&page="
        return self._desk.pages.render(
            visit.request,
            "import_list.html",
            session=visit.session,
            status=403 if refusal else 200,
            refusal=refusal,
            state=state,
            rows=await self._store.rows(state.id, verdict=verdict, page=min(page, MAX_ROWS)),
            verdict=verdict,
            total=total,
            first=first,
            last=min(page * ROWS_SHOWN, total),
            previous=f"{path}{page - 1}" if page > 1 else "",
            next=f"{path}{page + 1}" if page * ROWS_SHOWN < total else "",
        )

    def _to(self, path: str) -> RedirectResponse:
        return RedirectResponse(self._desk.site.link(path), status_code=303)


_REPORT_HEADER: Final = ("line", "user", "name", "role", "organisation", "result")


def _cells(row: ImportRow) -> list[str]:
    return [str(row.line), row.user, row.name, row.role, row.organisation, row.verdict]


def _csv_file(name: str, header: Iterable[str], lines: Iterable[Iterable[str]]) -> Response:
    """Return a file as spreadsheets read it, in which nothing is a formula."""
    out = io.StringIO()
    # Excel wants the mark to see UTF-8, and where commas are in numbers it parts by semicolons.
    out.write("\ufeff")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(header)
    writer.writerows([safe_cell(cell) for cell in line] for line in lines)
    return Response(
        out.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
