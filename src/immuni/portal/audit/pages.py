"""The page where auditors read what everybody did."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from immuni.portal.accounts.account import same_user
from immuni.portal.accounts.roles import Permission
from immuni.portal.audit.browsing import (
    Entry,
    Filter,
    all_entries,
    entries_after,
    entries_before,
    last_reading,
    organisations,
)
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.exporting import ExportFormat, exported
from immuni.portal.audit.meanings import MEANINGS, OUTCOMES
from immuni.portal.audit.store import TrailState, read_state, snapshot
from immuni.portal.audit.verifying import SILENCE
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit

PAGE_SIZE: Final = 50
READING_LASTS: Final = timedelta(minutes=15)
"""Who turns pages for so long leaves one event."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_FIELDS: Final = ("since", "until", "action", "outcome", "user", "organisation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the fields above the list hold.

    Attributes:
        typed: By name, as it was typed.
        wanted: Which events that are.
        faults: Which fields hold no day.
    """

    typed: Mapping[str, str]
    wanted: Filter
    faults: frozenset[str]

    @classmethod
    def of(cls, fields: Mapping[str, str], zone: ZoneInfo) -> Self:
        """Read the fields; what cannot be meant leaves everything."""
        typed = {name: fields.get(name, "").strip() for name in _FIELDS}
        days = {name: _day(typed[name]) for name in ("since", "until")}
        wanted = Filter(
            since=_midnight(days["since"], zone),
            until=_midnight(days["until"], zone, days=1),
            action=typed["action"] if typed["action"] in set(Action) else "",
            outcome=typed["outcome"] if typed["outcome"] in set(Outcome) else "",
            # A name that nobody can have finds nobody.
            user=same_user(typed["user"]) or typed["user"],
            organisation_id=_number(typed["organisation"]) or 0,
        )
        faults = frozenset(name for name, day in days.items() if typed[name] and day is None)
        return cls(typed=typed, wanted=wanted, faults=faults)

    @property
    def narrowed(self) -> Mapping[str, str]:
        """The fields that hold something."""
        return {name: text for name, text in self.typed.items() if text}

    def path(self, **place: int) -> str:
        """Return the address of another page of the same list."""
        return "/audit?" + urlencode({**self.narrowed, **place})


class AuditPages:
    """Reading and exporting the trail."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._door.page, Permission.READ_AUDIT
        return [
            page("/audit", self.show, needs=needs),
            page("/audit/export", self.export, needs=needs, method="POST"),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show fifty events, the newest first; the place of each page is an event, not a count."""
        await self._note_reading(visit)
        query = visit.request.query_params
        asked = Asked.of(query, self._zone)
        before, after = _number(query.get("before", "")), _number(query.get("after", ""))
        async with snapshot(self._desk.pool) as connection:
            state = await read_state(connection)
            if after:
                entries = await entries_after(
                    connection, asked.wanted, after=after, count=PAGE_SIZE + 1
                )
                newer, older = len(entries) > PAGE_SIZE, True
                entries = entries[-PAGE_SIZE:]
            else:
                entries = await entries_before(
                    connection, asked.wanted, before=before, count=PAGE_SIZE + 1
                )
                newer, older = before is not None, len(entries) > PAGE_SIZE
                entries = entries[:PAGE_SIZE]
            places = await organisations(connection)
        return self._desk.pages.render(
            visit.request,
            "audit.html",
            session=visit.session,
            status=422 if asked.faults else 200,
            asked=asked,
            entries=[_Shown.of(entry, self._zone) for entry in entries],
            newer=asked.path(after=entries[0].id) if newer and entries else "",
            older=asked.path(before=entries[-1].id) if older and entries else "",
            actions=list(MEANINGS.items()),
            outcomes=list(OUTCOMES.items()),
            organisations=places,
            state=state,
            head_at=state.head_at and state.head_at.astimezone(self._zone),
            silent=self._is_silent(state),
        )

    async def export(self, visit: Visit) -> Response:
        """Send what the fields want as a table, the oldest first."""
        asked = Asked.of(visit.form, self._zone)
        await self._desk.trail.record(
            Event(
                at=self._desk.clock.now(),
                action=Action.AUDIT_EXPORT,
                outcome=Outcome.DONE,
                account_id=visit.account.id,
                detail=_told(asked.wanted),
            )
        )
        name = f"audit-{self._desk.clock.now().astimezone(self._zone):%Y-%m-%d}.csv"
        return StreamingResponse(
            self._lines(asked.wanted),
            media_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def _lines(self, wanted: Filter) -> AsyncIterator[str]:
        async with snapshot(self._desk.pool) as connection:
            async for line in exported(all_entries(connection, wanted), ExportFormat.CSV):
                yield line

    async def _note_reading(self, visit: Visit) -> None:
        now = self._desk.clock.now()
        async with self._desk.pool.connection() as connection:
            last = await last_reading(connection, visit.account.id)
            if last is not None and last <= now < last + READING_LASTS:
                return
            event = Event(
                at=now,
                action=Action.AUDIT_READING,
                outcome=Outcome.DONE,
                account_id=visit.account.id,
            )
            await self._desk.trail.append(connection, event)

    def _is_silent(self, state: TrailState) -> bool:
        return state.head_at is None or self._desk.clock.now() - state.head_at > SILENCE

    @property
    def _zone(self) -> ZoneInfo:
        return self._desk.settings.portal_time_zone


@dataclass(frozen=True, slots=True)
class _Shown:
    """An event with its words.

    Attributes:
        entry: As it is kept, its time that of the operators.
        meaning: What kind it is, in English; a newer release may know more kinds.
        outcome: What came of it, likewise.
        detail: Names and values.
    """

    entry: Entry
    meaning: str
    outcome: str
    detail: Mapping[str, object]

    @classmethod
    def of(cls, entry: Entry, zone: ZoneInfo) -> Self:
        detail = json.loads(entry.detail)
        return cls(
            replace(entry, at=entry.at.astimezone(zone)),
            {each.value: text for each, text in MEANINGS.items()}.get(entry.action, ""),
            {each.value: text for each, text in OUTCOMES.items()}.get(entry.outcome, ""),
            detail if isinstance(detail, dict) else {"": detail},
        )


def _told(wanted: Filter) -> dict[str, str | int]:
    """Return a filter as facts; of a name only that there was one, who knows what was typed."""
    said: dict[str, str | int] = {}
    if wanted.since:
        said["since"] = wanted.since.isoformat()
    if wanted.until:
        said["until"] = wanted.until.isoformat()
    if wanted.action:
        said["action"] = wanted.action
    if wanted.outcome:
        said["outcome"] = wanted.outcome
    if wanted.organisation_id:
        said["organisation"] = wanted.organisation_id
    if wanted.user:
        said["user"] = "one"
    return said


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _midnight(day: date | None, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    """Return when a day begins where the operators work, or one some days later."""
    if day is None or not date(1, 1, 2) < day < date(9999, 12, 30):
        return None
    return datetime.combine(day + timedelta(days=days), time.min, zone)
