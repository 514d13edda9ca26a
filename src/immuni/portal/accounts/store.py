"""The tables of accounts and organisations, in SQL."""

from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Role
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail

SELECT_ACCOUNT: Final = """
    SELECT account.id, account.user_name, organisation.id, organisation.name, account.role,
        account.password_hash, account.display_name, organisation.active_from
    FROM operator_account AS account
    JOIN organisation ON organisation.id = account.organisation_id
    WHERE account.deactivated_at IS NULL AND organisation.closed_at IS NULL
"""
"""The columns from which `account_of` makes an account, of those that are active.

Who left is not among them, nor is anybody whose organisation is closed.
"""


class AccountStore:
    """Accounts and their organisations."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def add_account(
        self, *, user: str, password_hash: str, organisation: str, role: Role, now: datetime
    ) -> bool:
        """Add an account, and its organisation where that is new.

        Returns:
            False when there is an account of that name; then nothing was changed.
        """
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO organisation (name, created_at, active_from) VALUES (%s, %s, %s)"
                " ON CONFLICT (authority_id, name) DO NOTHING",
                # Yesterday has come everywhere, whatever the time zone.
                [organisation, now, (now - timedelta(days=1)).date()],
            )
            cursor = await connection.execute(
                "INSERT INTO operator_account"
                " (organisation_id, user_name, password_hash, role, created_at)"
                " SELECT id, %s, %s, %s, %s FROM organisation"
                " WHERE authority_id = 1 AND name = %s"
                " ON CONFLICT (authority_id, user_name) DO NOTHING RETURNING id",
                [user, password_hash, role, now, organisation],
            )
            if (row := await cursor.fetchone()) is None:
                await connection.rollback()
                return False
            await self._trail.append(connection, _done(Action.ACCOUNT_CREATION, row[0], now))
        return True

    async def account_of_user(self, user: str) -> Account | None:
        """Return the active account of that name."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"{SELECT_ACCOUNT} AND account.user_name = %s", [user]
            )
            return account_of(await cursor.fetchone())

    async def account_of_id(self, account_id: int) -> Account | None:
        """Return the active account of that number."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"{SELECT_ACCOUNT} AND account.id = %s", [account_id])
            return account_of(await cursor.fetchone())

    async def change_password(
        self, account_id: int, password_hash: str, *, now: datetime, keep: int | None = None
    ) -> None:
        """Give an account another password, and end its sessions but for one that is kept."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE operator_account SET password_hash = %s WHERE id = %s",
                [password_hash, account_id],
            )
            await end_sessions(connection, account_id, now=now, keep=keep)
            await self._trail.append(connection, _done(Action.PASSWORD_CHANGE, account_id, now))


def account_of(row: TupleRow | None) -> Account | None:
    """Return the account that a row of `SELECT_ACCOUNT` tells of."""
    if row is None:
        return None
    id_, user, organisation_id, organisation, role, password_hash, name, works_from = row
    return Account(
        id=id_,
        user=user,
        organisation_id=organisation_id,
        organisation=organisation,
        role=Role(role),
        password_hash=password_hash,
        name=name,
        works_from=works_from,
    )


async def lock_people(connection: AsyncConnection[TupleRow]) -> None:
    """Let one transaction at a time change who may do what, until it ends.

    Otherwise two administrators could take each other's role away at the same instant.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('immuni portal people'))")


async def has_administrator(connection: AsyncConnection[TupleRow]) -> bool:
    """Tell whether anybody can still look after the portal."""
    cursor = await connection.execute(
        f"{SELECT_ACCOUNT} AND account.role = %s LIMIT 1", [Role.ADMINISTRATOR]
    )
    return await cursor.fetchone() is not None


async def end_sessions(
    connection: AsyncConnection[TupleRow],
    account_id: int,
    *,
    now: datetime,
    keep: int | None = None,
) -> int:
    """End the sessions of an account but for one, in the transaction of what is the reason.

    Returns:
        How many there were.
    """
    cursor = await connection.execute(
        "UPDATE session SET ended_at = %s WHERE account_id = %s AND ended_at IS NULL"
        " AND id IS DISTINCT FROM %s",
        [now, account_id, keep],
    )
    return cursor.rowcount


def _done(action: Action, account_id: int, now: datetime) -> Event:
    return Event(at=now, action=action, outcome=Outcome.DONE, account_id=account_id)
