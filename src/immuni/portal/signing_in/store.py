"""The tables of sessions and known browsers, in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.portal.accounts.store import SELECT_ACCOUNT, account_of
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.signing_in.session import Proof, Session, SessionCookie, SessionEnd
from immuni.portal.signing_in.turns import CopiedCookieError, Turns

_SELECT: Final = """
    SELECT id, account_id, whole, proof, proven_at, created_at, last_seen_at, ended_at, end_reason,
        mark_hash, turn, turned_at, offered_turns, turns_before
    FROM session WHERE id_hash = %s FOR UPDATE
"""
_USE: Final = """
    UPDATE session SET last_seen_at = %s, turn = %s, turned_at = %s, offered_turns = %s,
        turns_before = %s
    WHERE id_hash = %s
"""
_COMPLETE: Final = """
    UPDATE session SET id_hash = %s, whole = true, proof = %s, proven_at = %s, turn = %s,
        turned_at = %s, offered_turns = '{}', turns_before = '{}'
    WHERE id_hash = %s AND NOT whole AND ended_at IS NULL RETURNING account_id
"""
_RENEW: Final = """
    UPDATE session SET proof = %s, proven_at = %s, offered_turns = offered_turns || %s
    WHERE id_hash = %s AND whole AND ended_at IS NULL RETURNING account_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long sessions live.

    Attributes:
        idle: Without being used.
        lifetime: Whatever happens.
        half: While the second factor was not shown.
    """

    idle: timedelta
    lifetime: timedelta
    half: timedelta


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


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    account_id: int
    whole: bool
    proof: str
    proven_at: datetime
    created_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    mark_hash: bytes
    turn: bytes
    turned_at: datetime
    offered_turns: list[bytes]
    turns_before: list[bytes]

    def is_over(self, now: datetime, limits: Limits) -> bool:
        lifetime = limits.lifetime if self.whole else limits.half
        return (
            self.ended_at is not None
            or self.last_seen_at <= now - limits.idle
            or self.created_at <= now - lifetime
        )

    def check_browser(self, mark_hash: bytes) -> None:
        if not compare_digest(self.mark_hash, mark_hash):
            raise CopiedCookieError("another browser shows the cookie")

    @property
    def turns(self) -> Turns:
        return Turns(self.turn, self.turned_at, tuple(self.offered_turns), tuple(self.turns_before))


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

    async def use_session(
        self,
        cookie: SessionCookie,
        *,
        mark_hash: bytes,
        now: datetime,
        limits: Limits,
        entropy: Entropy,
    ) -> Session | SessionEnd:
        """Prolong a session and return it, or how it ended.

        One whose cookie was copied ends here, with its event.
        """
        async with self._pool.connection() as connection:
            found = await connection.execute(_SELECT, [cookie.secret.hash])
            if (columns := await found.fetchone()) is None:
                return SessionEnd.NEVER_WAS
            row = _Row(*columns)
            if row.is_over(now, limits):
                return SessionEnd.COPIED if row.end_reason == "copied" else SessionEnd.OVER
            try:
                row.check_browser(mark_hash)
                turns, wanted = row.turns.shown(cookie.turn, now=now, entropy=entropy)
            except CopiedCookieError:
                await self._end_copied(connection, cookie.secret.hash, row, now)
                return SessionEnd.COPIED
            await connection.execute(
                _USE,
                [
                    *(now, turns.current, turns.since, list(turns.offered), list(turns.before)),
                    cookie.secret.hash,
                ],
            )
            return await _session_of(connection, cookie, row, wanted)

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

    async def _end_copied(
        self, connection: AsyncConnection[TupleRow], id_hash: bytes, row: _Row, now: datetime
    ) -> None:
        await connection.execute(
            "UPDATE session SET ended_at = %s, end_reason = 'copied' WHERE id_hash = %s",
            [now, id_hash],
        )
        event = Event(
            at=now,
            action=Action.SESSION_COPY,
            outcome=Outcome.REFUSED,
            account_id=row.account_id,
            subject=f"session {row.id}",
        )
        await self._trail.append(connection, event)


async def _session_of(
    connection: AsyncConnection[TupleRow], cookie: SessionCookie, row: _Row, wanted: bytes
) -> Session | SessionEnd:
    cursor = await connection.execute(f"{SELECT_ACCOUNT} AND account.id = %s", [row.account_id])
    if (account := account_of(await cursor.fetchone())) is None:
        return SessionEnd.OVER
    return Session(
        id=row.id,
        account=account,
        cookie=cookie.secret,
        whole=row.whole,
        proof=Proof(row.proof),
        proven_at=row.proven_at,
        next_turn=wanted if wanted != cookie.turn else None,
    )


def _done(
    action: Action, account_id: int, now: datetime, *, detail: Mapping[str, str | int] | None = None
) -> Event:
    return Event(
        at=now, action=action, outcome=Outcome.DONE, account_id=account_id, detail=detail or {}
    )
