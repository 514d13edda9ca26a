"""Changing what people may do, each change with its event, and each refusal too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.accounts.account import Account, same_user
from immuni.portal.accounts.roles import Role
from immuni.portal.accounts.store import (
    SELECT_ACCOUNT,
    account_of,
    end_sessions,
    has_administrator,
    lock_people,
)
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.desk import Desk
from immuni.portal.factors.store import forget_factors
from immuni.portal.people.rules import (
    Change,
    NobodyError,
    Person,
    Refusal,
    RefusedError,
    require_change,
    require_managing,
)
from immuni.portal.people.store import find_person

_REVOKE: Final = """
    UPDATE invitation SET revoked_at = %s
    WHERE invited_by = %s AND accepted_at IS NULL AND revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Work:
    """One change in the making: its transaction, who makes it, and when."""

    connection: AsyncConnection[TupleRow]
    actor: Account
    now: datetime


@asynccontextmanager
async def working(desk: Desk, actor: Account) -> AsyncIterator[Work]:
    """Begin a change; one at a time is made of who may do what.

    The actor is read again: whoever lost their role a moment ago changes nothing.

    Raises:
        RefusedError: The actor can do nothing any more.
    """
    async with desk.pool.connection() as connection:
        await lock_people(connection)
        cursor = await connection.execute(f"{SELECT_ACCOUNT} AND account.id = %s", [actor.id])
        if (fresh := account_of(await cursor.fetchone())) is None:
            raise RefusedError(Refusal.NOT_YOURS)
        yield Work(connection, fresh, desk.clock.now())


class Manager:
    """What can be done to one person."""

    def __init__(self, desk: Desk) -> None:
        """Keep what changes need."""
        self._desk = desk

    async def deactivate(self, actor: Account, person_id: int) -> None:
        """Let somebody leave: sessions end at once, and invitations that they made do not count.

        Raises:
            NobodyError: There is nobody whom the actor may see; here and below nothing was done.
            RefusedError: The rules forbid it, or no administrator would be left.
        """
        async with self._change(actor, person_id, Action.ACCOUNT_DEACTIVATION) as (work, person):
            require_managing(work.actor, person)
            await work.connection.execute(
                "UPDATE operator_account SET deactivated_at = coalesce(deactivated_at, %s)"
                " WHERE id = %s",
                [work.now, person.id],
            )
            await lose_hold(work, person)

    async def reactivate(self, actor: Account, person_id: int) -> None:
        """Let somebody come back, with the password and the role that they had.

        Raises:
            NobodyError: As for `deactivate`.
            RefusedError: The rules forbid it.
        """
        async with self._change(actor, person_id, Action.ACCOUNT_REACTIVATION) as (work, person):
            require_managing(work.actor, person)
            await work.connection.execute(
                "UPDATE operator_account SET deactivated_at = NULL WHERE id = %s", [person.id]
            )

    async def end_sessions(self, actor: Account, person_id: int) -> None:
        """Sign somebody out everywhere.

        Raises:
            NobodyError: As for `deactivate`.
            RefusedError: The rules forbid it.
        """
        async with self._change(actor, person_id, Action.SESSIONS_END) as (work, person):
            require_managing(work.actor, person)
            await end_sessions(work.connection, person.id, now=work.now)

    async def reset_factors(self, actor: Account, person_id: int) -> None:
        """Forget somebody's second factors, which they have lost, and sign them out everywhere.

        Raises:
            NobodyError: As for `deactivate`.
            RefusedError: The rules forbid it.
        """
        async with self._change(actor, person_id, Action.FACTOR_RESET) as (work, person):
            require_managing(work.actor, person)
            await forget_factors(work.connection, person.id)
            await end_sessions(work.connection, person.id, now=work.now)

    async def change(self, actor: Account, person_id: int, change: Change) -> None:
        """Give somebody another role, organisation or name.

        With another role or organisation their sessions end, and the invitations that they made do
        not count any more: a page that is open must not outlive what allowed it.

        Raises:
            NobodyError: As for `deactivate`.
            RefusedError: The rules forbid it, the organisation is closed or unknown, or no
                administrator would be left.
        """
        detail: dict[str, str | int] = {
            "role": change.role,
            "organisation": change.organisation_id,
        }
        changing = self._change(actor, person_id, Action.ACCOUNT_CHANGE, detail)
        async with changing as (work, person):
            require_change(work.actor, person, change)
            await require_open(work.connection, change.organisation_id)
            await apply_change(work, person, change)

    @asynccontextmanager
    async def _change(
        self,
        actor: Account,
        person_id: int,
        action: Action,
        detail: dict[str, str | int] | None = None,
    ) -> AsyncIterator[tuple[Work, Person]]:
        """Do it with its event; a refusal leaves nothing but its own."""
        try:
            async with working(self._desk, actor) as work:
                person = await find_person(work.connection, work.actor, person_id)
                yield work, person
                event = _event(work.actor, person_id, action, Outcome.DONE, work.now, detail)
                await self._desk.trail.append(work.connection, event)
        except RefusedError as error:
            now, reason = self._desk.clock.now(), {"reason": error.refusal.value}
            event = _event(actor, person_id, action, Outcome.REFUSED, now, {**reason})
            await self._desk.trail.record(event)
            raise


async def deactivate_from_outside(
    pool: Pool, trail: AuditTrail, user: str, *, now: datetime
) -> bool:
    """Let an account do nothing any more, without being signed in.

    Args:
        pool: The portal's database.
        trail: Where it leaves an event.
        user: The name with which the account signs in.
        now: When.

    Returns:
        Whether an administrator is left.

    Raises:
        NobodyError: Nobody has that name; nothing was done.
    """
    async with pool.connection() as connection:
        await lock_people(connection)
        cursor = await connection.execute(
            "UPDATE operator_account SET deactivated_at = coalesce(deactivated_at, %s)"
            " WHERE user_name = %s RETURNING id",
            [now, same_user(user)],
        )
        if (row := await cursor.fetchone()) is None:
            raise NobodyError("nobody has that user name")
        await end_sessions(connection, row[0], now=now)
        await connection.execute(_REVOKE, [now, row[0]])
        left = await has_administrator(connection)
        event = Event(
            at=now,
            action=Action.ACCOUNT_DEACTIVATION,
            outcome=Outcome.DONE,
            account_id=None,
            subject=f"account {row[0]}",
        )
        await trail.append(connection, event)
    return left


async def lose_hold(work: Work, person: Person) -> None:
    """Take from a person what their old role let them hold.

    Raises:
        RefusedError: No administrator would be left.
    """
    await end_sessions(work.connection, person.id, now=work.now)
    await work.connection.execute(_REVOKE, [work.now, person.id])
    if person.role is Role.ADMINISTRATOR and not await has_administrator(work.connection):
        raise RefusedError(Refusal.LAST_ADMINISTRATOR)


async def apply_change(work: Work, person: Person, change: Change) -> None:
    """Make of a person what the rules allow already.

    Raises:
        RefusedError: No administrator would be left.
    """
    await work.connection.execute(
        "UPDATE operator_account SET role = %s, organisation_id = %s, display_name = %s"
        " WHERE id = %s",
        [change.role, change.organisation_id, change.name, person.id],
    )
    if (change.role, change.organisation_id) != (person.role, person.organisation_id):
        await lose_hold(work, person)


async def require_open(connection: AsyncConnection[TupleRow], organisation_id: int) -> None:
    """Make sure that an organisation takes people.

    Raises:
        RefusedError: It is closed, or there is none.
    """
    cursor = await connection.execute(
        "SELECT closed_at FROM organisation WHERE id = %s", [organisation_id]
    )
    if (row := await cursor.fetchone()) is None:
        raise RefusedError(Refusal.ORGANISATION_UNKNOWN)
    if row[0] is not None:
        raise RefusedError(Refusal.CLOSED)


def _event(
    actor: Account,
    person_id: int,
    action: Action,
    outcome: Outcome,
    now: datetime,
    detail: dict[str, str | int] | None,
) -> Event:
    return Event(
        at=now,
        action=action,
        outcome=outcome,
        account_id=actor.id,
        subject=f"account {person_id}",
        detail=detail or {},
    )
