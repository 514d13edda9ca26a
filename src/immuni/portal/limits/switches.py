"""Stopping, letting go, allowing more, and having seen a warning: each with its event."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from immuni.portal.accounts.account import Account
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.limits.authority import (
    OutOfReachError,
    Target,
    require_reach,
    require_release,
)
from immuni.portal.limits.rules import Scope
from immuni.portal.limits.store import Connection

_ORGANISATION_OF: Final = {
    Scope.ACCOUNT: "SELECT organisation_id FROM operator_account WHERE id = %s",
    Scope.ORGANISATION: "SELECT id FROM organisation WHERE id = %s",
}
_STOP: Final = """
    INSERT INTO stop (scope, subject_id, reason, by_authority, stopped_at, stopped_by)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (scope, coalesce(subject_id, 0)) WHERE released_at IS NULL DO NOTHING
    RETURNING id
"""
_RELEASE: Final = """
    UPDATE stop SET released_at = %s, released_by = %s WHERE id = %s AND released_at IS NULL
    RETURNING id
"""
_ALLOW: Final = """
    UPDATE work_day SET extra = extra + %s
    WHERE scope = %s AND subject_id = %s AND day = %s AND extra + %s <= quota * %s
    RETURNING quota + extra
"""
_SEEN: Final = """
    UPDATE warning SET seen_at = %s, seen_by = %s
    WHERE id = %s AND seen_at IS NULL AND (%s OR organisation_id = %s)
    RETURNING scope, subject_id
"""


@dataclass(frozen=True, slots=True)
class Switches:
    """What a supervisor or an administrator can turn; each act is one transaction."""

    desk: Desk

    async def target(self, scope: Scope, subject_id: int | None) -> Target:
        """Return a target with the organisation that it belongs to.

        Raises:
            OutOfReachError: There is none.
        """
        async with self.desk.pool.connection() as connection:
            return await _target(connection, scope, subject_id)

    async def stop(self, account: Account, target: Target, *, reason: str) -> None:
        """Let a target authorise nothing any more; one that is stopped already stays so.

        An administrator's stop stands above a supervisor's, who cannot undo it.

        Raises:
            OutOfReachError: It is not for this account to do.
        """
        require_reach(account, target)
        now = self.desk.clock.now()
        by_authority = account.role.whole_authority
        async with self.desk.pool.connection() as connection:
            if by_authority:
                await _take_over(connection, target, account, now)
            values = [target.scope, target.subject_id, reason, by_authority, now, account.id]
            cursor = await connection.execute(_STOP, values)
            if await cursor.fetchone() is not None:
                await self.desk.trail.append(connection, _event(Action.STOP, account, target, now))

    async def release(self, account: Account, stop_id: int) -> None:
        """Let a stopped target go on.

        Raises:
            OutOfReachError: There is no such stop, or it is not for this account to undo.
        """
        now = self.desk.clock.now()
        async with self.desk.pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT scope, subject_id, by_authority FROM stop WHERE id = %s", [stop_id]
            )
            if (row := await cursor.fetchone()) is None:
                raise OutOfReachError("there is no such stop")
            scope, subject_id, by_authority = row
            target = await _target(connection, Scope(scope), subject_id)
            require_release(account, target, by_authority=by_authority)
            cursor = await connection.execute(_RELEASE, [now, account.id, stop_id])
            if await cursor.fetchone() is not None:
                await self.desk.trail.append(
                    connection, _event(Action.RELEASE, account, target, now)
                )

    async def allow(self, account: Account, target: Target, *, more: int, day: date) -> bool:
        """Let a target authorise more today; tell whether that much was still possible.

        A supervisor can double a quota, an administrator can make it eleven times as large.

        Raises:
            OutOfReachError: It is not for this account to do; an organisation's quota is an
                administrator's.
        """
        require_reach(account, target)
        widest = 10 if account.role.whole_authority else 1
        if target.scope is not Scope.ACCOUNT and not account.role.whole_authority:
            raise OutOfReachError("the quota of an organisation is an administrator's")
        now = self.desk.clock.now()
        async with self.desk.pool.connection() as connection:
            values = [more, target.scope, target.subject_id, day, more, widest]
            cursor = await connection.execute(_ALLOW, values)
            if await cursor.fetchone() is None:
                return False
            event = _event(Action.ALLOWANCE, account, target, now)
            await self.desk.trail.append(connection, replace(event, detail={"more": more}))
        return True

    async def seen(self, account: Account, warning_id: int) -> None:
        """Take a warning off the list of those that wait for somebody."""
        now = self.desk.clock.now()
        async with self.desk.pool.connection() as connection:
            whole, own = account.role.whole_authority, account.organisation_id
            cursor = await connection.execute(_SEEN, [now, account.id, warning_id, whole, own])
            if (row := await cursor.fetchone()) is not None:
                target = Target(Scope(row[0]), row[1], None)
                await self.desk.trail.append(
                    connection, _event(Action.WARNING_SEEN, account, target, now)
                )


def _event(action: Action, account: Account, target: Target, now: datetime) -> Event:
    subject = f"{target.scope} {target.subject_id or ''}".strip()
    return Event(
        at=now, action=action, outcome=Outcome.DONE, account_id=account.id, subject=subject
    )


async def _target(connection: Connection, scope: Scope, subject_id: int | None) -> Target:
    if scope is Scope.EVERYTHING:
        return Target(scope, None, None)
    cursor = await connection.execute(_ORGANISATION_OF[scope], [subject_id])
    if (row := await cursor.fetchone()) is None:
        raise OutOfReachError(f"there is no such {scope}")
    return Target(scope, subject_id, row[0])


async def _take_over(
    connection: Connection, target: Target, account: Account, now: datetime
) -> None:
    """End a supervisor's stop, so that the administrator's takes its place."""
    await connection.execute(
        "UPDATE stop SET released_at = %s, released_by = %s WHERE scope = %s"
        " AND subject_id IS NOT DISTINCT FROM %s AND released_at IS NULL AND NOT by_authority",
        [now, account.id, target.scope, target.subject_id],
    )
