"""Signed in: a random secret in a cookie, its hash in the database."""

from datetime import datetime, timedelta
from typing import Final

from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.portal.accounts.account import Account
from immuni.portal.settings import PortalSettings
from immuni.portal.signing_in.session import (
    CookieSecret,
    Proof,
    Session,
    SessionCookie,
    SessionEnd,
)
from immuni.portal.signing_in.store import OwnSession, SessionStore
from immuni.portal.signing_in.turns import TURN_BYTES
from immuni.portal.signing_in.using import Limits, SessionUse

__all__ = ["CookieSecret", "Proof", "Session", "SessionCookie", "SessionEnd", "Sessions"]

HALF_LIFETIME: Final = timedelta(minutes=15)
"""How long somebody who has shown the password has time to show the second factor."""


class Sessions:
    """Opens, finds and ends sessions; they slide, and end at the latest after a shift."""

    def __init__(
        self,
        store: SessionStore,
        use: SessionUse,
        *,
        clock: Clock,
        entropy: Entropy,
        settings: PortalSettings,
    ) -> None:
        """Keep what is needed to tell a session's age."""
        self._store = store
        self._use = use
        self._clock = clock
        self._entropy = entropy
        self._settings = settings

    async def open(
        self, account: Account, proof: Proof, *, whole: bool, browser: CookieSecret
    ) -> SessionCookie:
        """Begin a session with a fresh secret, whatever the browser held before.

        Args:
            account: Whose it is.
            proof: By what they showed who they are.
            whole: Whether nothing is left to show; if something is, the session does nothing else.
            browser: The mark of the browser, without which the session's cookie is worth nothing.
        """
        cookie = self._draw()
        await self._store.open_session(
            cookie,
            account.id,
            proof=proof,
            whole=whole,
            mark_hash=browser.hash,
            now=self._now,
        )
        return cookie

    async def find(
        self, cookie_text: str | None, browser: CookieSecret | None
    ) -> Session | SessionEnd:
        """Return the session of a cookie and prolong it, or how it ended.

        A cookie that another browser shows, or an older one than this session's browser holds, was
        copied: its session ends, with an event.
        """
        if (cookie := SessionCookie.parse(cookie_text)) is None:
            return SessionEnd.NEVER_WAS
        return await self._use.use(
            cookie,
            mark_hash=browser.hash if browser else b"",
            now=self._now,
            limits=self._limits,
            entropy=self._entropy,
        )

    async def strengthen(self, session: Session, proof: Proof) -> SessionCookie:
        """Note that somebody has shown who they are once more; the session is whole from now on.

        A session that was half gets another secret: whoever knew the old one has nothing. One that
        was whole keeps it, so that forms that are open in other tabs can still be sent.
        """
        drawn, id_hash = self._draw(), session.cookie.hash
        if not session.whole:
            await self._store.complete_session(id_hash, drawn, proof=proof, now=self._now)
            return drawn
        await self._store.renew_proof(id_hash, next_turn=drawn.turn, proof=proof, now=self._now)
        return SessionCookie(session.cookie, drawn.turn)

    async def end(self, session: Session) -> None:
        """End a session at once, wherever its cookie may be."""
        await self._store.end_session(session.cookie.hash, now=self._now)

    def is_fresh(self, session: Session) -> bool:
        """Tell whether somebody has shown lately who they are."""
        return session.proven_at > self._now - self._settings.portal_proof_lifetime

    async def of(self, account: Account) -> list[OwnSession]:
        """Return the sessions of an account, the one used last first."""
        return await self._store.sessions_of(account.id, now=self._now, limits=self._limits)

    async def end_one(self, account: Account, session_id: int) -> None:
        """End a session of an account, if it has one of that number."""
        await self._store.end_sessions_of(account.id, self._now, only=session_id)

    async def end_others(self, session: Session) -> None:
        """End all sessions of an account but for one."""
        await self._store.end_sessions_of(session.account.id, self._now, keep=session.id)

    @property
    def _limits(self) -> Limits:
        return Limits(
            idle=self._settings.portal_session_idle,
            lifetime=self._settings.portal_session_lifetime,
            half=HALF_LIFETIME,
        )

    @property
    def _now(self) -> datetime:
        return self._clock.now()

    def _draw(self) -> SessionCookie:
        secret = CookieSecret.draw(self._entropy)
        return SessionCookie(secret, self._entropy.token(TURN_BYTES))
