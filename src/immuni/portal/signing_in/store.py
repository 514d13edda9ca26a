"""The tables of sessions and known browsers, in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from immuni.database import Pool
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.signing_in.session import Proof, SessionCookie
from immuni.portal.signing_in.using import Limits

_COMPLETE: Final = """
    UPDATE session SET id_hash = %s, whole = true, proof = %s, proven_at = %s, turn = %s,
        turned_at = %s, offered_turns = '{}', turns_before = '{}'
    WHERE id_hash = %s AND NOT whole AND ended_at IS NULL RETURNING account_id
"""
_RENEW: Final = """
    UPDATE session SET proof = %s, proven_at = %s, offered_turns = offered_turns || %s
    WHERE id_hash = %s AND whole AND ended_at IS NULL RETURNING account_id
"""


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A session as the person whose it is sees it; no address is kept.

    Attributes:
        id: Its number.
        began_at: When they signed in.
        last_seen_at: When it was last used.
        proof: By what they showed last who they are.
    """

    id: int
    began_at: datetime
    last_seen_at: datetime
    proof: str


class SessionStore:
    """Sessions, and browsers in which somebody signed in before.

    Both are found by the SHA-256 of a random secret that only a cookie holds.
    """

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail

    async def open_session(
        self,
        cookie: SessionCookie,
        account_id: int,
        *,
        proof: Proof,
        whole: bool,
        mark_hash: bytes,
        now: datetime,
    ) -> None:
        """Begin a session, with its event in the audit trail, which tells by what proof."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "INSERT INTO session (id_hash, account_id, created_at, last_seen_at, whole, proof,"
                " proven_at, mark_hash, turn, turned_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    *(cookie.secret.hash, account_id, now, now, whole, proof, now),
                    *(mark_hash, cookie.turn, now),
                ],
            )
            detail = {"proof": proof} | ({} if whole else {"strength": "half"})
            await self._trail.append(
                connection, _done(Action.SIGN_IN, account_id, now, detail=detail)
            )

    async def complete_session(
        self, id_hash: bytes, cookie: SessionCookie, *, proof: Proof, now: datetime
    ) -> None:
        """Make a session that was half whole, under another cookie, with its event."""
        values = [cookie.secret.hash, proof, now, cookie.turn, now, id_hash]
        await self._prove(_COMPLETE, values, proof, now)

    async def renew_proof(
        self, id_hash: bytes, *, next_turn: bytes, proof: Proof, now: datetime
    ) -> None:
        """Note that somebody showed once more who they are, with its event."""
        await self._prove(_RENEW, [proof, now, next_turn, id_hash], proof, now)

    async def _prove(
        self, statement: LiteralString, values: list[object], proof: Proof, now: datetime
    ) -> None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(statement, values)
            # A session that has ended meanwhile stays so.
            if (row := await cursor.fetchone()) is not None:
                event = _done(Action.PROOF, row[0], now, detail={"proof": proof})
                await self._trail.append(connection, event)

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

    async def sessions_of(
        self, account_id: int, *, now: datetime, limits: Limits
    ) -> list[OwnSession]:
        """Return the sessions of an account that are not over, the one used last first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT id, created_at, last_seen_at, proof FROM session"
                " WHERE account_id = %s AND ended_at IS NULL AND whole"
                " AND last_seen_at > %s AND created_at > %s ORDER BY last_seen_at DESC",
                [account_id, now - limits.idle, now - limits.lifetime],
            )
            return [OwnSession(*row) async for row in cursor]

    async def end_sessions_of(
        self,
        account_id: int,
        now: datetime,
        *,
        keep: int | None = None,
        only: int | None = None,
    ) -> int:
        """End sessions of an account at once, with an event where there was one.

        Args:
            account_id: Whose they are.
            now: When.
            keep: One that goes on.
            only: The one that ends; all of them where it is None.

        Returns:
            How many there were.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE session SET ended_at = %(now)s"
                " WHERE account_id = %(account)s AND ended_at IS NULL"
                " AND id IS DISTINCT FROM %(keep)s"
                " AND (%(only)s::bigint IS NULL OR id = %(only)s)",
                {"now": now, "account": account_id, "keep": keep, "only": only},
            )
            if cursor.rowcount:
                event = _done(
                    Action.SESSIONS_END, account_id, now, detail={"count": cursor.rowcount}
                )
                await self._trail.append(connection, event)
            return cursor.rowcount

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
