"""From a cookie to who is signed in, at each request.

Most requests only look: whoever comes at the same time is looked up together, and nothing is
written. What changes a session, a new turn, its being noticed or its end, is judged once more
behind its lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.database.grouping import Grouped
from immuni.entropy import Entropy
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.store import SELECT_ACCOUNT, account_of
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.signing_in.session import Proof, Session, SessionCookie, SessionEnd
from immuni.portal.signing_in.turns import CopiedCookieError, Turns

NOTICED_AGAIN_AFTER: Final = timedelta(minutes=1)
"""How old the note of a session's last use gets before it is written anew."""

_NOTES_PER_IDLE_TIME: Final = 30
_SELECT: Final = f"""
    SELECT session.id_hash, session.id, session.account_id, whole, proof, proven_at, created_at,
        last_seen_at, ended_at, end_reason, mark_hash, turn, turned_at, offered_turns, turns_before,
        owner.*
    FROM session LEFT JOIN ({SELECT_ACCOUNT}) AS owner (owner_id) ON owner_id = session.account_id
    WHERE id_hash = ANY(%s)
"""  # noqa: S608 - both texts are ours
_SELECT_ALONE: Final = f"{_SELECT} FOR UPDATE OF session"
_USE: Final = """
    UPDATE session SET last_seen_at = %s, turn = %s, turned_at = %s, offered_turns = %s,
        turns_before = %s
    WHERE id_hash = %s
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

    @property
    def noticed_again_after(self) -> timedelta:
        """How old the note of the last use may be; by so much a session may end too early."""
        return min(NOTICED_AGAIN_AFTER, self.idle / _NOTES_PER_IDLE_TIME)


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

    def wants_notice(self, now: datetime, limits: Limits) -> bool:
        return self.last_seen_at <= now - limits.noticed_again_after

    def check_browser(self, mark_hash: bytes) -> None:
        if not compare_digest(self.mark_hash, mark_hash):
            raise CopiedCookieError("another browser shows the cookie")

    @property
    def turns(self) -> Turns:
        return Turns(self.turn, self.turned_at, tuple(self.offered_turns), tuple(self.turns_before))


_OWN_COLUMNS: Final = 1 + len(fields(_Row))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a request brought, and what it is judged by."""

    cookie: SessionCookie
    mark_hash: bytes
    now: datetime
    limits: Limits
    entropy: Entropy


@dataclass(frozen=True, slots=True)
class _Found:
    """A session as it is kept, and whose it is; None for somebody who left."""

    row: _Row
    account: Account | None

    def end(self, shown: _Shown) -> SessionEnd | None:
        """Return how the session ended, if it did."""
        if self.row.is_over(shown.now, shown.limits):
            return SessionEnd.COPIED if self.row.end_reason == "copied" else SessionEnd.OVER
        return None

    def turned(self, shown: _Shown) -> tuple[Turns, bytes]:
        """Return the turns from now on, and the one that the cookie should hold.

        Raises:
            CopiedCookieError: The cookie is a copy, or the copy was used before.
        """
        self.row.check_browser(shown.mark_hash)
        return self.row.turns.shown(shown.cookie.turn, now=shown.now, entropy=shown.entropy)

    def session(self, shown: _Shown, wanted: bytes) -> Session | SessionEnd:
        """Return the session, whose cookie should hold the turn `wanted`."""
        if self.account is None:
            return SessionEnd.OVER
        return Session(
            id=self.row.id,
            account=self.account,
            cookie=shown.cookie.secret,
            whole=self.row.whole,
            proof=Proof(self.row.proof),
            proven_at=self.row.proven_at,
            next_turn=wanted if wanted != shown.cookie.turn else None,
        )


class SessionUse:
    """Finds the session of a cookie, and notes its use."""

    def __init__(self, pool: Pool, trail: AuditTrail) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool
        self._trail = trail
        self._look: Grouped[bytes, _Found | None] = Grouped(self._look_together)

    async def use(
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
        shown = _Shown(cookie=cookie, mark_hash=mark_hash, now=now, limits=limits, entropy=entropy)
        # The look begins after the request came: what was ended before is seen to be.
        if (found := await self._look(cookie.secret.hash)) is None:
            return SessionEnd.NEVER_WAS
        if (end := found.end(shown)) is not None:
            return end
        try:
            turns, wanted = found.turned(shown)
        except CopiedCookieError:
            return await self._use_alone(shown)
        if turns == found.row.turns and not found.row.wants_notice(now, limits):
            return found.session(shown, wanted)
        return await self._use_alone(shown)

    async def _look_together(self, id_hashes: Sequence[bytes]) -> Sequence[_Found | None]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_SELECT, [list(id_hashes)])
            found = {row[0]: _found(row) async for row in cursor}
        return [found.get(each) for each in id_hashes]

    async def _use_alone(self, shown: _Shown) -> Session | SessionEnd:
        """Judge a session while nobody else can change it, and write down what is new."""
        id_hash = shown.cookie.secret.hash
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_SELECT_ALONE, [[id_hash]])
            if (columns := await cursor.fetchone()) is None:
                return SessionEnd.NEVER_WAS
            found = _found(columns)
            if (end := found.end(shown)) is not None:
                return end
            try:
                turns, wanted = found.turned(shown)
            except CopiedCookieError:
                await self._end_copied(connection, id_hash, found.row, shown.now)
                return SessionEnd.COPIED
            await connection.execute(
                _USE,
                [
                    *(shown.now, turns.current, turns.since),
                    *(list(turns.offered), list(turns.before), id_hash),
                ],
            )
            return found.session(shown, wanted)

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


def _found(columns: TupleRow) -> _Found:
    own, owner = columns[1:_OWN_COLUMNS], columns[_OWN_COLUMNS:]
    return _Found(_Row(*own), account_of(owner) if owner[0] is not None else None)
