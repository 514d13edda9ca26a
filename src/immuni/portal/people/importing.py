"""Lists of people: looked at first, then applied in steps that can be broken off and gone on with.

A step is one transaction of a hundred rows, each of which is marked as done with what was done. A
process that is killed loses no more than the step it was in; going on begins with the first row
that is not marked. The links are drawn at the very end, when they are handed out, so that no
secret waits anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.portal.accounts.account import Account
from immuni.portal.accounts.invitations import INVITATION_LIFETIME, InvitationToken
from immuni.portal.accounts.roles import Role
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.people.import_verdicts import (
    Known,
    Verdict,
    Waiting,
    change_of,
    place_of,
    verdict_of,
)
from immuni.portal.people.inviting import Wish, add_invitation
from immuni.portal.people.lists import Entry
from immuni.portal.people.managing import Work, apply_change, working
from immuni.portal.people.rules import (
    Change,
    Person,
    Refusal,
    RefusedError,
    require_giving,
)
from immuni.portal.people.store import people_of_users

STEP_ROWS: Final = 100
KEPT: Final = timedelta(days=30)
"""How long a list stays, with the names on it."""


class Importer:
    """Looks at lists, applies them, and hands out the links."""

    def __init__(self, desk: Desk) -> None:
        """Keep what that needs."""
        self._desk = desk

    async def check(self, actor: Account, entries: Sequence[Entry]) -> int:
        """Keep a list with what each row would do, and do nothing else; return its id.

        Raises:
            RefusedError: The actor can do nothing any more.
        """
        async with working(self._desk, actor) as work:
            await work.connection.execute(
                "DELETE FROM people_import WHERE made_at < %s", [work.now - KEPT]
            )
            known = await _known(work, entries)
            import_id = await _add_import(work)
            rows = [
                [
                    *(import_id, each.line, each.user, each.name, each.role or ""),
                    *(each.organisation, _verdict_text(work.actor, each, known)),
                ]
                for each in entries
            ]
            async with work.connection.cursor() as cursor:
                await cursor.executemany(
                    "INSERT INTO people_import_row (import_id, line, user_name, display_name,"
                    " role, organisation, verdict) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                    rows,
                )
            event = _event(work, import_id, Action.PEOPLE_IMPORT_CHECK, {"rows": len(rows)})
            await self._desk.trail.append(work.connection, event)
        return import_id

    async def apply(self, actor: Account, import_id: int) -> None:
        """Do what a list says, from the first row that is not done yet.

        Each row is judged anew: what changed since it was looked at counts. Called again, or
        twice at once, it does nothing twice.

        Raises:
            RefusedError: The list is not the actor's, or the actor can do nothing any more; steps
                before stay done.
        """
        while await self._step(actor, import_id):
            pass

    async def _step(self, actor: Account, import_id: int) -> bool:
        async with working(self._desk, actor) as work:
            await _require_own(work, import_id)
            entries = await _undone(work.connection, import_id)
            if not entries:
                await self._finish(work, import_id)
                return False
            known = await _known(work, entries)
            done = [await _apply_row(work, import_id, entry, known) for entry in entries]
            await _mark(work, import_id, done)
            events = [each.event for each in done if each.event is not None]
            if invited := [each.invitation_id for each in done if each.invitation_id is not None]:
                # One event for the step's invitations; the account that each makes has its own.
                detail = {"count": len(invited), "first": min(invited), "last": max(invited)}
                events.append(_event(work, import_id, Action.INVITATION, detail))
            await work.connection.execute(
                "UPDATE people_import SET applied_at = coalesce(applied_at, %s) WHERE id = %s",
                [work.now, import_id],
            )
            for event in events:
                await self._desk.trail.append(work.connection, event)
        return True

    async def _finish(self, work: Work, import_id: int) -> None:
        cursor = await work.connection.execute(
            "UPDATE people_import SET finished_at = %s WHERE id = %s AND finished_at IS NULL",
            [work.now, import_id],
        )
        if cursor.rowcount:
            event = _event(work, import_id, Action.PEOPLE_IMPORT, {})
            await self._desk.trail.append(work.connection, event)

    async def draw_links(self, actor: Account, import_id: int) -> dict[int, InvitationToken]:
        """Make a link for each invitation of a list that waits; links before do not count.

        Returns:
            From an invitation's id to the secret of its link.

        Raises:
            RefusedError: The list is not the actor's; nothing was done.
        """
        async with working(self._desk, actor) as work:
            await _require_own(work, import_id)
            cursor = await work.connection.execute(
                "SELECT id, role, organisation_id FROM invitation WHERE import_id = %s"
                " AND accepted_at IS NULL AND revoked_at IS NULL FOR UPDATE",
                [import_id],
            )
            links: dict[int, InvitationToken] = {}
            async for id_, role, organisation_id in cursor:
                require_giving(work.actor, Role(role), organisation_id)
                links[id_] = InvitationToken.draw(self._desk.entropy)
            await work.connection.execute(
                "UPDATE invitation SET token_hash = new.hash, expires_at = %s"
                " FROM unnest(%s::bigint[], %s::bytea[]) AS new (id, hash)"
                " WHERE invitation.id = new.id",
                [
                    work.now + INVITATION_LIFETIME,
                    list(links),
                    [token.hash for token in links.values()],
                ],
            )
            await work.connection.execute(
                "UPDATE people_import SET links_shown_at = %s WHERE id = %s",
                [work.now, import_id],
            )
            event = _event(work, import_id, Action.INVITATION_LINK, {"count": len(links)})
            await self._desk.trail.append(work.connection, event)
        return links


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of one row."""

    line: int
    verdict: str
    invitation_id: int | None = None
    event: Event | None = None


async def _mark(work: Work, import_id: int, done: Sequence[_Done]) -> None:
    async with work.connection.cursor() as cursor:
        await cursor.executemany(
            "UPDATE people_import_row SET verdict = %s, done_at = %s, invitation_id = %s"
            " WHERE import_id = %s AND line = %s",
            [[each.verdict, work.now, each.invitation_id, import_id, each.line] for each in done],
        )


async def _apply_row(work: Work, import_id: int, entry: Entry, known: Known) -> _Done:
    """Do what one row says."""
    event, invitation_id = None, None
    try:
        done = verdict_of(work.actor, entry, known)
        place = place_of(entry, known)
        if done is Verdict.NEW and entry.role is not None:
            wish = Wish(
                organisation_id=place,
                role=entry.role,
                user=entry.user,
                name=entry.name,
                host_id=work.actor.id,
                import_id=import_id,
            )
            invitation_id = await add_invitation(work.connection, wish, token=None, now=work.now)
        elif done is Verdict.CHANGE:
            person = known.people[entry.user]
            change = change_of(entry, person, place)
            async with work.connection.transaction():
                await apply_change(work, person, change)
            event = _changed(work, person, change, import_id)
    except RefusedError as error:
        return _Done(entry.line, error.refusal)
    return _Done(entry.line, done, invitation_id, event)


async def _undone(connection: AsyncConnection[TupleRow], import_id: int) -> list[Entry]:
    cursor = await connection.execute(
        "SELECT line, user_name, display_name, role, organisation, verdict FROM people_import_row"
        " WHERE import_id = %s AND done_at IS NULL ORDER BY line LIMIT %s",
        [import_id, STEP_ROWS],
    )
    return [
        Entry(
            line=line,
            user=user,
            name=name,
            role=Role(role) if role else None,
            organisation=organisation,
            fault=None if role else Refusal(verdict),
        )
        async for line, user, name, role, organisation, verdict in cursor
    ]


async def _known(work: Work, entries: Sequence[Entry]) -> Known:
    users = [each.user for each in entries if each.fault is None]
    names = sorted({each.organisation for each in entries})
    invited = await work.connection.execute(
        "SELECT user_name, role, organisation_id FROM invitation WHERE user_name = ANY(%s)"
        " AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > %s",
        [users, work.now],
    )
    waiting = {row[0]: Waiting(Role(row[1]), row[2]) async for row in invited}
    places = await work.connection.execute(
        "SELECT name, id, closed_at IS NOT NULL FROM organisation WHERE name = ANY(%s)", [names]
    )
    return Known(
        people=await people_of_users(work.connection, users),
        invited=waiting,
        places={row[0]: (row[1], row[2]) async for row in places},
    )


async def _add_import(work: Work) -> int:
    cursor = await work.connection.execute(
        "INSERT INTO people_import (made_by, made_at) VALUES (%s, %s) RETURNING id",
        [work.actor.id, work.now],
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def _require_own(work: Work, import_id: int) -> None:
    cursor = await work.connection.execute(
        "SELECT made_by FROM people_import WHERE id = %s FOR UPDATE", [import_id]
    )
    if await cursor.fetchone() != (work.actor.id,):
        raise RefusedError(Refusal.NOT_YOURS)


def _verdict_text(actor: Account, entry: Entry, known: Known) -> str:
    try:
        return verdict_of(actor, entry, known).value
    except RefusedError as error:
        return error.refusal.value


def _changed(work: Work, person: Person, change: Change, import_id: int) -> Event:
    return Event(
        at=work.now,
        action=Action.ACCOUNT_CHANGE,
        outcome=Outcome.DONE,
        account_id=work.actor.id,
        subject=f"account {person.id}",
        detail={
            "role": change.role,
            "organisation": change.organisation_id,
            "import": import_id,
        },
    )


def _event(work: Work, import_id: int, action: Action, detail: Mapping[str, str | int]) -> Event:
    return Event(
        at=work.now,
        action=action,
        outcome=Outcome.DONE,
        account_id=work.actor.id,
        subject=f"import {import_id}",
        detail=detail,
    )
