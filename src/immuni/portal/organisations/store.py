"""The table of organisations, in SQL."""

from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.store import has_administrator, lock_people
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.organisations.rules import (
    Fault,
    InvalidOrganisationError,
    Kind,
    NoOrganisationError,
    Organisation,
    Plan,
)

_SELECT: Final = """
    SELECT organisation.id, organisation.name, organisation.kind, organisation.parent_id,
        organisation.active_from, coalesce(parent.name, ''), organisation.closed_at,
        (SELECT count(*) FROM operator_account
         WHERE organisation_id = organisation.id AND deactivated_at IS NULL)
    FROM organisation LEFT JOIN organisation AS parent ON parent.id = organisation.parent_id
"""


class OrganisationStore:
    """Organisations, each change with its event."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def organisations(self) -> list[Organisation]:
        """Return all of them by name, those that are closed last."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{_SELECT} ORDER BY organisation.closed_at IS NOT NULL, lower(organisation.name)"
            )
            return [_organisation_of(row) async for row in cursor]

    async def organisation(self, organisation_id: int) -> Organisation:
        """Return one.

        Raises:
            NoOrganisationError: There is none.
        """
        async with self._pool.connection() as connection:
            return await _find(connection, organisation_id)

    async def add(self, plan: Plan, *, actor: Account, now: datetime) -> int:
        """Add an organisation and return its id.

        Raises:
            InvalidOrganisationError: There is one of that name.
        """
        async with self._pool.connection() as connection:
            try:
                cursor = await connection.execute(
                    "INSERT INTO organisation (name, kind, parent_id, active_from, created_at)"
                    " VALUES (%s, %s, %s, %s, %s) RETURNING id",
                    [plan.name, plan.kind, plan.parent_id, plan.active_from, now],
                )
            except UniqueViolation:
                raise InvalidOrganisationError({"name": Fault.TAKEN}) from None
            row = await cursor.fetchone()
            id_ = int(row[0]) if row else 0
            await self._trail.append(
                connection,
                _done(Action.ORGANISATION_CREATION, actor, id_, now, {"kind": plan.kind}),
            )
        return id_

    async def change(
        self, organisation_id: int, plan: Plan, *, actor: Account, now: datetime
    ) -> None:
        """Make an organisation what it is to be.

        Raises:
            NoOrganisationError: There is none.
            InvalidOrganisationError: There is another of that name, or hospitals belong to it and
                it would be no region any more.
        """
        async with self._pool.connection() as connection:
            before = (await _find(connection, organisation_id)).plan
            if plan.kind is not Kind.REGION and await _has_hospitals(connection, organisation_id):
                raise InvalidOrganisationError({"kind": Fault.HAS_HOSPITALS})
            try:
                await connection.execute(
                    "UPDATE organisation SET name = %s, kind = %s, parent_id = %s,"
                    " active_from = %s WHERE id = %s",
                    [plan.name, plan.kind, plan.parent_id, plan.active_from, organisation_id],
                )
            except UniqueViolation:
                raise InvalidOrganisationError({"name": Fault.TAKEN}) from None
            if changes := _changes(before, plan):
                await self._trail.append(
                    connection,
                    _done(Action.ORGANISATION_CHANGE, actor, organisation_id, now, changes),
                )

    async def close(self, organisation_id: int, *, actor: Account, now: datetime) -> None:
        """Close an organisation: from now on its accounts can do nothing, and no session lives.

        Raises:
            NoOrganisationError: There is none.
            InvalidOrganisationError: It is the actor's own, or no administrator would be left.
        """
        if organisation_id == actor.organisation_id:
            raise InvalidOrganisationError({"": Fault.OWN})
        async with self._pool.connection() as connection:
            await lock_people(connection)
            await _find(connection, organisation_id)
            await connection.execute(
                "UPDATE organisation SET closed_at = coalesce(closed_at, %s) WHERE id = %s",
                [now, organisation_id],
            )
            if not await has_administrator(connection):
                raise InvalidOrganisationError({"": Fault.LAST_ADMINISTRATOR})
            await connection.execute(
                "UPDATE session SET ended_at = %s WHERE ended_at IS NULL AND account_id IN"
                " (SELECT id FROM operator_account WHERE organisation_id = %s)",
                [now, organisation_id],
            )
            await self._trail.append(
                connection, _done(Action.ORGANISATION_CLOSING, actor, organisation_id, now)
            )

    async def reopen(self, organisation_id: int, *, actor: Account, now: datetime) -> None:
        """Open an organisation again that was closed.

        Its invitations count again for what is left of their time.

        Raises:
            NoOrganisationError: There is none.
        """
        async with self._pool.connection() as connection:
            await _find(connection, organisation_id)
            await connection.execute(
                "UPDATE organisation SET closed_at = NULL WHERE id = %s", [organisation_id]
            )
            await self._trail.append(
                connection, _done(Action.ORGANISATION_REOPENING, actor, organisation_id, now)
            )


async def _find(connection: AsyncConnection[TupleRow], organisation_id: int) -> Organisation:
    cursor = await connection.execute(f"{_SELECT} WHERE organisation.id = %s", [organisation_id])
    if (row := await cursor.fetchone()) is None:
        raise NoOrganisationError("there is no such organisation")
    return _organisation_of(row)


async def _has_hospitals(connection: AsyncConnection[TupleRow], organisation_id: int) -> bool:
    cursor = await connection.execute(
        "SELECT FROM organisation WHERE parent_id = %s LIMIT 1", [organisation_id]
    )
    return await cursor.fetchone() is not None


def _changes(before: Plan, after: Plan) -> dict[str, str | int]:
    """Return what is new, in words that the trail may keep."""
    changes: dict[str, str | int] = {}
    if before.name != after.name:
        changes["name"] = after.name
    if before.kind != after.kind:
        changes["kind"] = after.kind
    if before.parent_id != after.parent_id:
        changes["parent"] = after.parent_id or 0
    if before.active_from != after.active_from:
        changes["active_from"] = after.active_from.isoformat()
    return changes


def _organisation_of(row: TupleRow) -> Organisation:
    id_, name, kind, parent_id, active_from, parent, closed_at, people = row
    plan = Plan(name=name, kind=Kind(kind), parent_id=parent_id, active_from=active_from)
    return Organisation(id=id_, plan=plan, parent=parent, closed_at=closed_at, people=people)


def _done(
    action: Action,
    actor: Account,
    organisation_id: int,
    now: datetime,
    detail: dict[str, str | int] | None = None,
) -> Event:
    return Event(
        at=now,
        action=action,
        outcome=Outcome.DONE,
        account_id=actor.id,
        subject=f"organisation {organisation_id}",
        detail=detail or {},
    )
