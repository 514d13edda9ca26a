"""What it is to be signed in: a secret in a cookie, and who holds it."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from immuni.entropy import Entropy
from immuni.portal.accounts.account import Account
from immuni.portal.signing_in.turns import TURN_BYTES

SECRET_BYTES: Final = 32


class Proof(StrEnum):
    """By what somebody showed who they are.

    PROVIDER is the word of a provider that looked at two factors, PROVIDER_ONE_FACTOR that of one
    that looked at fewer, or does not say.
    """

    PASSWORD = "password"  # noqa: S105 - names the way, holds no password
    PASSKEY = "passkey"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"
    PROVIDER = "provider"
    PROVIDER_ONE_FACTOR = "provider_one_factor"
    INVITATION = "invitation"


class SessionEnd(StrEnum):
    """Why a cookie opens nothing."""

    NEVER_WAS = "never_was"
    OVER = "over"
    COPIED = "copied"


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
        secret = _bytes_of(text or "")
        return cls(secret) if secret is not None and len(secret) == SECRET_BYTES else None

    @property
    def text(self) -> str:
        """What the cookie holds."""
        return _text_of(self.secret)

    @property
    def hash(self) -> bytes:
        """What the database holds."""
        return hashlib.sha256(self.secret).digest()

    @property
    def csrf_token(self) -> str:
        """What each form of this session carries: nobody else can compute it."""
        return hmac.digest(self.secret, b"immuni portal form", "sha256").hex()


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """What the cookie of a session holds: the secret that stays, and whose turn it is."""

    secret: CookieSecret
    turn: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Read one back; None when there is none that could be ours."""
        first, _, second = (text or "").partition(".")
        secret, turn = CookieSecret.parse(first), _bytes_of(second)
        return cls(secret, turn) if secret and turn and len(turn) == TURN_BYTES else None

    @property
    def text(self) -> str:
        """What the cookie holds."""
        return f"{self.secret.text}.{_text_of(self.turn)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody is signed in.

    Attributes:
        id: Its number; tells nothing that opens it.
        account: Whose it is.
        cookie: The secret that stays.
        whole: Whether everything was shown that the account has to show; a session that is half
            lets its account show the rest, and leave.
        proof: By what they showed last who they are.
        proven_at: When that was.
        next_turn: What the cookie should hold from now on, where that is something new.
    """

    id: int
    account: Account
    cookie: CookieSecret
    whole: bool
    proof: Proof
    proven_at: datetime
    next_turn: bytes | None = field(default=None, repr=False)

    def wrote(self, csrf_token: str) -> bool:
        """Tell whether a form with this token was made for this session."""
        return hmac.compare_digest(csrf_token.encode(), self.cookie.csrf_token.encode())


def _text_of(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).decode("ascii").rstrip("=")


def _bytes_of(text: str) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
