"""The tables of sessions and known browsers, in SQL."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from immuni.database import Pool
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.store import SELECT_ACCOUNT, account_of
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail


class SessionStore:
    """Sessions, and browsers in which somebody signed in before.

    Both are found by the SHA-256 of a random secret that only a cookie holds.
    """

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def open_session(
        self, id_hash: bytes, account_id: int, *, proof: str, now: datetime
    ) -> None:
        """Begin a session, with its event in the audit trail, which tells by what proof."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO session (id_hash, account_id, created_at, last_seen_at)"
                " VALUES (%s, %s, %s, %s)",
                [id_hash, account_id, now, now],
            )
            event = _done(Action.SIGN_IN, account_id, now, detail={"proof": proof})
            await self._trail.append(connection, event)

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
            cursor = await connection.execute(f"{SELECT_ACCOUNT} AND account.id = %s", [row[0]])
            return account_of(await cursor.fetchone())

    async def end_session(self, id_hash: bytes, *, now: datetime) -> None:
        """End a session at once, with its row in the audit trail; one that is over stays so."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE session SET ended_at = %s WHERE id_hash = %s AND ended_at IS NULL"
                " RETURNING account_id",
                [now, id_hash],
            )
            if (row := await cursor.fetchone()) is not None:
                await self._trail.append(connection, _done(Action.SIGN_OUT, row[0], now))

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


def _done(
    action: Action, account_id: int, now: datetime, *, detail: Mapping[str, str | int] | None = None
) -> Event:
    return Event(
        at=now, action=action, outcome=Outcome.DONE, account_id=account_id, detail=detail or {}
    )
