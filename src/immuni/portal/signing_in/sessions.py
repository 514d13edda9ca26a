"""Signed in: a random secret in a cookie, its hash in the database."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Self

from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.portal.accounts.account import Account
from immuni.portal.settings import PortalSettings
from immuni.portal.signing_in.store import SessionStore

SECRET_BYTES: Final = 32


class Proof(StrEnum):
    """By what somebody showed who they are."""

    PASSWORD = "password"  # noqa: S105 - names the way, holds no password
    PASSKEY = "passkey"
    PROVIDER = "provider"
    INVITATION = "invitation"


@dataclass(frozen=True, slots=True)
class CookieSecret:
    """256 random bits that a cookie holds; the database knows their hash only.

    A plain hash is enough: nobody can search 2^256 secrets.
    """

    secret: bytes = field(repr=False)

    @classmethod
    def draw(cls, entropy: Entropy) -> Self:
        """Make a new one."""
        return cls(entropy.token(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read one back from a cookie; None when there is none that could be ours."""
        try:
            secret = base64.urlsafe_b64decode(f"{text or ''}=")
        except (binascii.Error, ValueError):
            return None
        return cls(secret) if len(secret) == SECRET_BYTES else None

    @property
    def text(self) -> str:
        """What the cookie holds."""
        return base64.urlsafe_b64encode(self.secret).decode("ascii").rstrip("=")

    @property
    def hash(self) -> bytes:
        """What the database holds."""
        return hashlib.sha256(self.secret).digest()

    @property
    def csrf_token(self) -> str:
        """What each form of this session carries: nobody else can compute it."""
        return hmac.digest(self.secret, b"immuni portal form", "sha256").hex()


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in."""

    account: Account
    cookie: CookieSecret

    def wrote(self, csrf_token: str) -> bool:
        """Tell whether a form with this token was made for this session."""
        return hmac.compare_digest(csrf_token.encode(), self.cookie.csrf_token.encode())


class Sessions:
    """Opens, finds and ends sessions; they slide, and end at the latest after a shift."""

    def __init__(
        self, store: SessionStore, *, clock: Clock, entropy: Entropy, settings: PortalSettings
    ) -> None:
        """Keep what is needed to tell a session's age."""
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._settings = settings

    async def open(self, account: Account, proof: Proof) -> Session:
        """Begin a session with a fresh secret, whatever the browser held before."""
        now = self._clock.now()
        cookie = CookieSecret.draw(self._entropy)
        await self._store.purge_sessions(before=now - self._settings.portal_session_lifetime)
        await self._store.open_session(cookie.hash, account.id, proof=proof, now=now)
        return Session(account, cookie)

    async def find(self, cookie_text: str | None) -> Session | None:
        """Return the session of a cookie and prolong it; None when nobody is signed in."""
        if (cookie := CookieSecret.parse(cookie_text)) is None:
            return None
        account = await self._store.touch_session(
            cookie.hash,
            now=self._clock.now(),
            idle=self._settings.portal_session_idle,
            lifetime=self._settings.portal_session_lifetime,
        )
        return Session(account, cookie) if account else None

    async def end(self, session: Session) -> None:
        """End a session at once, wherever its cookie may be."""
        await self._store.end_session(session.cookie.hash, now=self._clock.now())
