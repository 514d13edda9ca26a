"""Challenges of passkeys: signed, short-lived, for one browser and one purpose, good once.

Nothing is stored when one is made, so that nobody can fill the database by opening pages; what is
stored is which ones were used, until they would have expired anyway.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.portal.factors.keys import FactorKeys
from immuni.portal.signing_in.session import CookieSecret

LIFETIME: Final = timedelta(minutes=10)

_NONCE_BYTES: Final = 16
_UNTIL_BYTES: Final = 8
_LENGTH: Final = _NONCE_BYTES + _UNTIL_BYTES + 32


class Purpose(StrEnum):
    """What a challenge is for."""

    ADD = "add"
    SIGN_IN = "sign_in"
    PROVE = "prove"


class ChallengeError(ImmuniError, PermissionError):
    """A challenge is not ours, has expired, or was made for another browser or purpose."""


class Challenges:
    """Makes and checks them; any process of the portal checks what another one made."""

    def __init__(self, keys: FactorKeys, *, clock: Clock, entropy: Entropy) -> None:
        """Keep what signs them."""
        self._keys = keys
        self._clock = clock
        self._entropy = entropy

    def make(self, purpose: Purpose, browser: CookieSecret, *, account_id: int = 0) -> bytes:
        """Return a new one.

        Args:
            purpose: What it is for.
            browser: The mark of the browser that shall answer.
            account_id: Who shall answer; 0 where nobody is known yet.

        Layout:
            ``0..15`` nonce, ``16..23`` last second, ``24..55`` HMAC-SHA256.
        """
        until = int((self._clock.now() + LIFETIME).timestamp())
        head = self._entropy.token(_NONCE_BYTES) + until.to_bytes(_UNTIL_BYTES)
        return head + self._keys.sign(_signed(head, purpose, browser, account_id))

    def check(
        self,
        challenge: bytes,
        purpose: Purpose,
        browser: CookieSecret | None,
        *,
        account_id: int = 0,
    ) -> datetime:
        """Return until when a challenge that was answered is good.

        Raises:
            ChallengeError: It is not.
        """
        head, signature = challenge[:-32], challenge[-32:]
        if len(challenge) != _LENGTH or browser is None:
            raise ChallengeError("not one of our challenges")
        if not self._keys.signed(_signed(head, purpose, browser, account_id), signature):
            raise ChallengeError("not one of our challenges")
        until = datetime.fromtimestamp(int.from_bytes(head[_NONCE_BYTES:]), UTC)
        if until <= self._clock.now():
            raise ChallengeError("the challenge has expired")
        return until


def mark_of(challenge: bytes) -> bytes:
    """Return by what a used challenge is remembered."""
    return hashlib.sha256(challenge).digest()


def _signed(head: bytes, purpose: Purpose, browser: CookieSecret, account_id: int) -> bytes:
    return b"%s|%s|%d|" % (head, purpose.encode(), account_id) + browser.hash
