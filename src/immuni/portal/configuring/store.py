"""Drafts and proposals, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.api.settings_authoring import PublishedEntry
from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Role
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.configuring.rules import Draft, State, place_of

Connection = AsyncConnection[TupleRow]

_MOST_SHOWN: Final = 200
_SELECT: Final = """
    SELECT proposal.id, author.id, author.user_name,
        author.deactivated_at IS NULL AND author.role = %s,
        proposal.created_at, proposal.based_on, proposal.entries, proposal.dangers,
        proposal.reason, proposal.state, proposal.decided_at, decider.user_name,
        proposal.decision, proposal.request_id, proposal.version
    FROM settings_proposal AS proposal
    JOIN operator_account AS author ON author.id = proposal.author_id
    LEFT JOIN operator_account AS decider ON decider.id = proposal.decided_by
"""
_SETTLE: Final = """
    UPDATE settings_proposal SET state = %s, decision = %s, decided_at = %s, decided_by = %s
    WHERE id = %s AND state = 'open'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A set that somebody wants to be published.

    Attributes:
        author_stands: Whether the author still is somebody who looks after settings.
        draft: The set, and the version on which it was begun.
        dangers: What it does to phones that the author means.
        decided_by: Who approved, rejected or withdrew it; None where nobody has.
        decision: Why it was rejected.
        request_id: Names the request to the service; None before it was approved.
        version: What it became; None before it was published.
    """

    id: int
    author_id: int
    author: str
    author_stands: bool
    created_at: datetime
    draft: Draft
    dangers: tuple[str, ...]
    reason: str
    state: State
    decided_at: datetime | None
    decided_by: str | None
    decision: str
    request_id: str | None
    version: int | None

    @property
    def waits(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.state in (State.OPEN, State.APPROVED)


class ProposalStore:
    """Drafts and proposals; every act of a person leaves its event in the same transaction."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def draft_of(self, account: Account) -> Draft | None:
        """Return what somebody works on, None where that is nothing."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT based_on, entries FROM settings_draft WHERE account_id = %s", [account.id]
            )
            row = await cursor.fetchone()
        return Draft(row[0], _entries(row[1])) if row else None

    async def save_draft(
        self, account: Account, draft: Draft, *, changed: str, now: datetime
    ) -> None:
        """Keep what somebody works on.

        Args:
            account: Who.
            draft: The draft.
            changed: The setting that was changed, for the trail.
            now: When.
        """
        async with self._pool.connection() as connection:
            await _write_draft(connection, account, draft, now)
            await self._trail.append(connection, _of_draft(account, changed, now))

    async def drop_draft(self, account: Account, *, now: datetime) -> None:
        """Forget what somebody worked on."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "DELETE FROM settings_draft WHERE account_id = %s", [account.id]
            )
            await self._trail.append(connection, _of_draft(account, "", now))

    async def propose(
        self,
        account: Account,
        draft: Draft,
        *,
        reason: str,
        dangers: Sequence[str],
        now: datetime,
        from_draft: bool,
    ) -> int | None:
        """Make a proposal.

        Args:
            account: The author.
            draft: The set.
            reason: Why.
            dangers: What it does to phones that the author means.
            now: When.
            from_draft: Whether it was the author's draft, which is over then.

        Returns:
            The proposal's number; None where the author's draft is another one by now.
        """
        async with self._pool.connection() as connection:
            if from_draft:
                cursor = await connection.execute(
                    "DELETE FROM settings_draft"
                    " WHERE account_id = %s AND based_on = %s AND entries = %s",
                    [account.id, draft.based_on, _text(draft.entries)],
                )
                if cursor.rowcount == 0:
                    return None
            cursor = await connection.execute(
                "INSERT INTO settings_proposal"
                " (author_id, created_at, based_on, entries, dangers, reason)"
                " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
                [
                    account.id,
                    now,
                    draft.based_on,
                    _text(draft.entries),
                    msgspec.json.encode(list(dangers)).decode(),
                    reason,
                ],
            )
            row = await cursor.fetchone()
            number: int = row[0] if row else 0
            await self._append(
                connection, Action.SETTINGS_PROPOSAL, account, number, now, based_on=draft.based_on
            )
        return number

    async def proposal(self, number: int) -> Proposal | None:
        """Return a proposal."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SELECT} WHERE proposal.id = %s", [Role.ADMINISTRATOR, number]
            )
            row = await cursor.fetchone()
        return _proposal(row) if row else None

    async def proposals(self, *, waiting: bool = False) -> Sequence[Proposal]:
        """Return the newest proposals first; with `waiting` those that nobody has settled."""
        which = "WHERE proposal.state IN ('open', 'approved')" if waiting else ""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SELECT} {which} ORDER BY proposal.id DESC LIMIT {_MOST_SHOWN}",
                [Role.ADMINISTRATOR],
            )
            return [_proposal(row) async for row in cursor]

    async def approve(
        self, number: int, account: Account, *, request_id: str, now: datetime
    ) -> bool:
        """Note that somebody else approves a proposal; the service is asked afterwards.

        Returns:
            False where it is not open any more, is their own, or one of the two is by now nobody
            who looks after settings; then nothing was changed.
        """
        async with self._pool.connection() as connection:
            # Whoever closes an account or changes its role waits for this, or is waited for.
            cursor = await connection.execute(
                """
                SELECT account.id FROM operator_account AS account
                WHERE account.deactivated_at IS NULL AND account.role = %s AND account.id IN (
                    SELECT author_id FROM settings_proposal WHERE id = %s UNION SELECT %s
                ) FOR SHARE
                """,
                [Role.ADMINISTRATOR, number, account.id],
            )
            if len(await cursor.fetchall()) != 2:
                return False
            cursor = await connection.execute(
                "UPDATE settings_proposal"
                " SET state = 'approved', decided_at = %s, decided_by = %s, request_id = %s"
                " WHERE id = %s AND state = 'open' AND author_id <> %s",
                [now, account.id, request_id, number, account.id],
            )
            if cursor.rowcount == 0:
                return False
            await self._append(connection, Action.SETTINGS_APPROVAL, account, number, now)
        return True

    async def note_published(
        self, number: int, account: Account, version: int, *, now: datetime
    ) -> None:
        """Note what the service made of a proposal; once, whoever hears it first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE settings_proposal SET state = 'published', version = %s"
                " WHERE id = %s AND state = 'approved'",
                [version, number],
            )
            if cursor.rowcount:
                await self._append(
                    connection, Action.SETTINGS_PUBLICATION, account, number, now, version=version
                )

    async def note_refused(
        self, number: int, account: Account, request_id: str, *, now: datetime
    ) -> None:
        """Open a proposal again that the service, as is known, has not published."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE settings_proposal SET state = 'open',"
                " decided_at = NULL, decided_by = NULL, request_id = NULL"
                " WHERE id = %s AND state = 'approved' AND request_id = %s",
                [number, request_id],
            )
            if cursor.rowcount:
                await self._append(
                    connection,
                    Action.SETTINGS_PUBLICATION,
                    account,
                    number,
                    now,
                    outcome=Outcome.REFUSED,
                )

    async def reject(self, number: int, account: Account, *, reason: str, now: datetime) -> bool:
        """Settle somebody else's proposal; False where it is not open any more, or their own."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SETTLE} AND author_id <> %s",
                [State.REJECTED, reason, now, account.id, number, account.id],
            )
            if cursor.rowcount == 0:
                return False
            await self._append(connection, Action.SETTINGS_REJECTION, account, number, now)
        return True

    async def withdraw(
        self, number: int, account: Account, *, now: datetime, into: Draft | None = None
    ) -> bool:
        """Take one's own proposal back.

        Args:
            number: Which.
            account: Whose.
            now: When.
            into: What its author goes on with, where another set has overtaken it.

        Returns:
            False where it is not open any more, or another's.
        """
        async with self._pool.connection() as connection:
            state = State.WITHDRAWN if into is None else State.STALE
            cursor = await connection.execute(
                f"{_SETTLE} AND author_id = %s",
                [state, "", now, account.id, number, account.id],
            )
            if cursor.rowcount == 0:
                return False
            if into is not None:
                await _write_draft(connection, account, into, now)
            await self._append(connection, Action.SETTINGS_WITHDRAWAL, account, number, now)
        return True

    async def _append(
        self,
        connection: Connection,
        action: Action,
        account: Account,
        number: int,
        now: datetime,
        *,
        outcome: Outcome = Outcome.DONE,
        **detail: int,
    ) -> None:
        event = Event(
            at=now,
            action=action,
            outcome=outcome,
            account_id=account.id,
            subject=f"settings {number}",
            detail=detail,
        )
        await self._trail.append(connection, event)


async def _write_draft(
    connection: Connection, account: Account, draft: Draft, now: datetime
) -> None:
    await connection.execute(
        """
        INSERT INTO settings_draft (account_id, based_on, entries, changed_at)
        VALUES (%s, %s, %s, %s)
        ON CONFLICT (account_id) DO UPDATE SET based_on = excluded.based_on,
            entries = excluded.entries, changed_at = excluded.changed_at
        """,
        [account.id, draft.based_on, _text(draft.entries), now],
    )


def _of_draft(account: Account, changed: str, now: datetime) -> Event:
    return Event(
        at=now,
        action=Action.SETTINGS_DRAFT,
        outcome=Outcome.DONE,
        account_id=account.id,
        detail={"setting": changed} if changed else {},
    )


def _text(entries: Sequence[PublishedEntry]) -> str:
    return msgspec.json.encode(sorted(entries, key=place_of)).decode()


def _entries(text: str) -> tuple[PublishedEntry, ...]:
    return msgspec.json.decode(text, type=tuple[PublishedEntry, ...])


def _proposal(row: TupleRow) -> Proposal:
    return Proposal(
        id=row[0],
        author_id=row[1],
        author=row[2],
        author_stands=row[3],
        created_at=row[4],
        draft=Draft(row[5], _entries(row[6])),
        dangers=msgspec.json.decode(row[7], type=tuple[str, ...]),
        reason=row[8],
        state=State(row[9]),
        decided_at=row[10],
        decided_by=row[11],
        decision=row[12],
        request_id=row[13],
        version=row[14],
    )
