"""The portal's tables, in SQL."""

from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.accounts import Account, Role
from immuni.portal.audit import Action, Outcome

_ACCOUNT: Final = """
    SELECT account.id, account.user_name, organisation.name, account.role, account.password_hash
    FROM operator_account AS account
    JOIN organisation ON organisation.id = account.organisation_id
    WHERE account.deactivated_at IS NULL
"""
_RECORD: Final = "INSERT INTO audit_event (at, account_id, action, outcome) VALUES (%s, %s, %s, %s)"


class PortalStore:
    """Accounts, sessions, known browsers and the audit trail of one portal.

    Sessions and browsers are found by the SHA-256 of a random secret that only a cookie holds.
    """

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            psycopg.OperationalError: It gives none.
        """
        async with self._pool.connection() as connection:
            await connection.execute("SELECT 1")

    async def add_account(
        self, *, user: str, password_hash: str, organisation: str, role: Role, now: datetime
    ) -> bool:
        """Add an account, and its organisation where that is new.

        Returns:
            False when there is an account of that name; then nothing was changed.
        """
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO organisation (name, created_at) VALUES (%s, %s)"
                " ON CONFLICT (authority_id, name) DO NOTHING",
                [organisation, now],
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
            await connection.execute(_RECORD, [now, row[0], Action.ACCOUNT_CREATION, Outcome.DONE])
        return True

    async def account_of_user(self, user: str) -> Account | None:
        """Return the active account of that name."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"{_ACCOUNT} AND account.user_name = %s", [user])
            return _account(await cursor.fetchone())

    async def change_password(self, account_id: int, password_hash: str, *, now: datetime) -> None:
        """Give an account another password, and end its sessions."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "UPDATE operator_account SET password_hash = %s WHERE id = %s",
                [password_hash, account_id],
            )
            await connection.execute(
                "UPDATE session SET ended_at = %s WHERE account_id = %s AND ended_at IS NULL",
                [now, account_id],
            )
            await connection.execute(
                _RECORD, [now, account_id, Action.PASSWORD_CHANGE, Outcome.DONE]
            )

    async def open_session(self, id_hash: bytes, account_id: int, *, now: datetime) -> None:
        """Begin a session, with its row in the audit trail."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO session (id_hash, account_id, created_at, last_seen_at)"
                " VALUES (%s, %s, %s, %s)",
                [id_hash, account_id, now, now],
            )
            await connection.execute(_RECORD, [now, account_id, Action.SIGN_IN, Outcome.DONE])

    async def touch_session(
        self, id_hash: bytes, *, now: datetime, idle: timedelta, lifetime: timedelta
    ) -> Account | None:
        """Prolong a session and return whose it is; None when it is over or never was."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE session SET last_seen_at = %s WHERE id_hash = %s AND ended_at IS NULL"
                " AND last_seen_at > %s AND created_at > %s RETURNING account_id",
                [now, id_hash, now - idle, now - lifetime],
            )
            if (row := await cursor.fetchone()) is None:
                return None
            cursor = await connection.execute(f"{_ACCOUNT} AND account.id = %s", [row[0]])
            return _account(await cursor.fetchone())

    async def end_session(self, id_hash: bytes, *, now: datetime) -> None:
        """End a session at once, with its row in the audit trail; one that is over stays so."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE session SET ended_at = %s WHERE id_hash = %s AND ended_at IS NULL"
                " RETURNING account_id",
                [now, id_hash],
            )
            if (row := await cursor.fetchone()) is not None:
                await connection.execute(_RECORD, [now, row[0], Action.SIGN_OUT, Outcome.DONE])

    async def purge_sessions(self, *, before: datetime) -> None:
        """Forget the sessions that were last used before an instant."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM session WHERE last_seen_at < %s", [before])

    async def remember_browser(self, mark_hash: bytes, account_id: int, *, now: datetime) -> None:
        """Keep that an account signed in with the browser that holds a mark."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO known_browser (mark_hash, account_id, last_seen_at)"
                " VALUES (%s, %s, %s) ON CONFLICT (mark_hash, account_id)"
                " DO UPDATE SET last_seen_at = EXCLUDED.last_seen_at",
                [mark_hash, account_id, now],
            )

    async def knows_browser(self, mark_hash: bytes, user: str, *, since: datetime) -> bool:
        """Tell whether an account signed in with that browser since an instant."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT FROM known_browser JOIN operator_account ON id = account_id"
                " WHERE mark_hash = %s AND user_name = %s AND last_seen_at > %s",
                [mark_hash, user, since],
            )
            return await cursor.fetchone() is not None

    async def purge_browsers(self, *, before: datetime) -> None:
        """Forget the browsers that were last used before an instant."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM known_browser WHERE last_seen_at < %s", [before])

    async def record(
        self, action: Action, outcome: Outcome, *, account_id: int | None, now: datetime
    ) -> None:
        """Append one row to the audit trail.

        Args:
            action: What was done.
            outcome: What came of it.
            account_id: Who did it; None where nobody is known, such as at a refused sign-in: the
                name that was typed is not kept, since people type their password there.
            now: When.
        """
        async with self._pool.connection() as connection:
            await connection.execute(_RECORD, [now, account_id, action, outcome])

    async def last_authorisation(self, account_id: int) -> datetime | None:
        """Return when an account last had a code authorised."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT max(at) FROM audit_event"
                " WHERE account_id = %s AND action = %s AND outcome = %s",
                [account_id, Action.AUTHORISATION, Outcome.AUTHORISED],
            )
            row = await cursor.fetchone()
        at: datetime | None = row[0] if row else None
        return at


def _account(row: TupleRow | None) -> Account | None:
    if row is None:
        return None
    id_, user, organisation, role, password_hash = row
    return Account(
        id=id_, user=user, organisation=organisation, role=Role(role), password_hash=password_hash
    )
