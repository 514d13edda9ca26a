"""The pages: one for each month, drawn on the server, without a script."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from gettext import NullTranslations
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from immuni.api import Territory
from immuni.dashboard.errors import NotReleasedError
from immuni.dashboard.figures import Breakdown, Figures, FigureStore, Span, Subject
from immuni.dashboard.months import Month, period_name
from immuni.dashboard.sections import Download, download
from immuni.dashboard.sections.activity import activity, national
from immuni.dashboard.sections.chunks import chunks
from immuni.dashboard.sections.codes import codes
from immuni.dashboard.sections.outlook import outlook
from immuni.dashboard.sections.territory import where
from immuni.dashboard.settings import DashboardSettings
from immuni.dashboard.words import about, between, exactly, share
from immuni.web import Answering, Call, Headers, Reply, send_reply
from immuni.web.page_headers import PAGE_HEADERS
from immuni.web.static_files import StaticFiles
from immuni.web.templates import templates_of

HTML: Final = "text/html; charset=utf-8"

_NEAR: Final = 3
_HEADERS: Final = {name.lower(): value for name, value in PAGE_HEADERS.items()}
_NOTICES: Final = {
    HTTPStatus.BAD_REQUEST: ("There is no such page", "The address is not spelt as it should be."),
    HTTPStatus.NOT_FOUND: (
        "Nothing is shown of this month",
        "Nothing was counted in it, or it was not decided yet what may be shown.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "The figures cannot be read now",
        "The database does not answer. Try again in a moment.",
    ),
}
_FAILURE: Final = ("Something went wrong", "The fault is ours. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Fact:
    """One number at the top of a page: what it counts, the number, and how sure it is."""

    label: str
    value: str
    note: str


class Pages:
    """Draws pages from figures."""

    def __init__(
        self,
        store: FigureStore,
        files: StaticFiles,
        *,
        territory: Territory,
        settings: DashboardSettings,
    ) -> None:
        """Prepare the templates."""
        self._store = store
        self._territory = territory
        self._settings = settings
        self._templates = templates_of("immuni.dashboard", NullTranslations())
        self._templates.globals.update(asset=files.marked_path)

    async def newest(self, _call: Call[None]) -> Reply:
        """Answer with the last month that is over, or with the running one where none is."""
        months = await self._store.months()
        if not months:
            return Reply(body=self._render("empty.html"), content_type=HTML)
        releases = await self._store.releases(months[0])
        runs = not any(key.span is Span.MONTH for key in releases)
        month = months[1] if runs and months[1:] else months[0]
        return await self._answer(month, months)

    async def month(self, call: Call[None]) -> Reply:
        """Answer with the page of a month.

        Raises:
            NotReleasedError: Nothing is shown of it.
        """
        months, month = await self._store.months(), Month.parse(call.path["month"])
        if month not in months:
            raise NotReleasedError("nothing is shown of this month")
        return await self._answer(month, months)

    async def _answer(self, month: Month, months: Sequence[Month]) -> Reply:
        figures = await self._store.of_page(month)
        return Reply(body=self.page(figures, month, months), content_type=HTML)

    def page(self, figures: Figures, month: Month, months: Sequence[Month]) -> bytes:
        """Draw the page of a month.

        Args:
            figures: What is shown of it, and of the time before.
            month: The month.
            months: Every month that has a page, the last one first.
        """
        regions = [each.region for each in self._territory.regions]
        near = _near(months, month)
        return self._render(
            "month.html",
            month=month,
            near=near,
            far=[each for each in months if each not in near],
            is_over=figures.of_month(month, Subject.ACTIVE) is not None,
            facts=_facts(figures, month),
            activity=activity(figures, month, regions),
            where=where(figures, month, self._territory, self._settings.early_warning),
            codes=codes(figures, month),
            outlook=outlook(figures, month, self._settings.forecast),
            chunks=chunks(figures, month),
            downloads=_downloads(figures, month),
        )

    def notice(self, refused: Reply) -> Reply:
        """Tell a refusal to a person."""
        title, words = _NOTICES.get(refused.status, _FAILURE)
        body = self._render("notice.html", title=title, words=words)
        return replace(refused, body=body, content_type=HTML)

    def layer(self, endpoint: Answering) -> ASGIApp:
        """Make an application of an endpoint that answers with a page, be it a refusal."""

        async def nothing() -> bytes:
            return b""

        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            reply = await endpoint.answer(scope, Headers(scope["headers"]), nothing)
            if reply.status >= HTTPStatus.BAD_REQUEST:
                reply = self.notice(reply)
            await send_reply(replace(reply, headers={**reply.headers, **_HEADERS}), send)

        return app

    def _render(self, template: str, **values: object) -> bytes:
        return self._templates.get_template(template).render(**values).encode()


def _near(months: Sequence[Month], month: Month) -> list[Month]:
    """Return the months that a reader is most likely to want: around this one."""
    place = max(0, months.index(month) - 1) if month in months else 0
    return list(months[place : place + _NEAR])


def _facts(figures: Figures, month: Month) -> list[Fact]:
    """Return the numbers at the top, of a month that is over."""
    active = figures.of_month(month, Subject.ACTIVE)
    uploads = figures.of_month(month, Subject.CODES)
    facts = []
    if found := national(figures, month, Subject.ACTIVE, "active"):
        facts.append(Fact("phones active", about(found.phones), between(found)))
    if active and active.count("active") and active.count("healthy") is not None:
        able = share(active.count("healthy") or 0, active.count("active") or 0)
        facts.append(Fact("of them able to warn", able, "Bluetooth and permissions on"))
    if found := national(figures, month, Subject.NOTIFIED, "notified"):
        facts.append(Fact("phones warned their user", about(found.phones), between(found)))
    uploaded = uploads.count("uploaded") if uploads else None
    if uploaded is not None:
        counted = "counted, not estimated"
        facts.append(Fact("people uploaded keys", exactly(uploaded), counted))
    return facts


def _downloads(figures: Figures, month: Month) -> list[Download]:
    """Return the tables of a month and of its periods; those of days are on the page."""
    downloads = []
    for key in sorted(figures.tables):
        if key.span is Span.DAY or not month.holds(key.since):
            continue
        when = f", {period_name(key.since)}" if key.span is Span.PERIOD else ""
        what = "in total" if key.breakdown is Breakdown.NOTHING else f"by {key.breakdown}"
        downloads.append(download(f"{key.subject} {what}{when}", key))
        if key.span is Span.MONTH and key.subject in (Subject.ACTIVE, Subject.NOTIFIED):
            downloads.append(download(f"{key.subject} {what}: estimates", key, "estimates"))
    return downloads
