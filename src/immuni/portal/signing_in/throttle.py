"""A brake on guessing passwords that cannot be turned against somebody else.

Failures count for the pair of account and source, and for the source; a browser in which an account
has signed in before counts for itself alone. So whoever guesses at an account, even from the
address of its owner's hospital, slows down nobody who uses a browser of their own.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from immuni.clock import Clock
from immuni.entropy import Entropy

WINDOW: Final = timedelta(minutes=15)
KNOWN_BROWSER_LIFETIME: Final = timedelta(days=90)

_KNOWN_BROWSER_BUDGET: Final = 10
_PAIR_BUDGET: Final = 5
_SOURCE_BUDGET: Final = 50
_MAX_COUNTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries to sign in.

    Attributes:
        user: The name that was typed, normalised.
        source: The subscriber from whose address the request came.
        browser: The mark of a browser in which this account signed in before, else None.
    """

    user: str
    source: str
    browser: bytes | None


class Throttle:
    """Counts attempts in memory, for one process.

    Privacy:
        Neither names nor addresses are kept, but hashes under a key that dies with the process.
    """

    def __init__(self, *, clock: Clock, entropy: Entropy) -> None:
        """Start with nothing counted."""
        self._clock = clock
        self._key = entropy.token(32)
        self._attempts: OrderedDict[bytes, list[datetime]] = OrderedDict()

    def admit(self, attempt: Attempt) -> timedelta | None:
        """Count an attempt before it is looked at, or say how long to wait.

        Counting first keeps a hundred guesses at the same instant from slipping through together.

        Returns:
            None when the attempt may go on, else the time until the next one may.
        """
        now = self._clock.now()
        budgets = self._budgets(attempt)
        wait = max(self._wait(name, budget, now) for name, budget in budgets)
        if wait > timedelta(0):
            return wait
        for name, _ in budgets:
            self._attempts.setdefault(name, []).append(now)
            self._attempts.move_to_end(name)
        while len(self._attempts) > _MAX_COUNTED:
            self._attempts.popitem(last=False)
        return None

    def forgive(self, attempt: Attempt) -> None:
        """Take back what `admit` counted, because the password was right."""
        (own, _), *others = self._budgets(attempt)
        self._attempts.pop(own, None)
        for name, _ in others:
            if counted := self._attempts.get(name):
                counted.pop()

    def _budgets(self, attempt: Attempt) -> Sequence[tuple[bytes, int]]:
        if attempt.browser is not None:
            return [(self._name("browser", attempt.browser.hex()), _KNOWN_BROWSER_BUDGET)]
        return [
            (self._name("pair", attempt.user, attempt.source), _PAIR_BUDGET),
            (self._name("source", attempt.source), _SOURCE_BUDGET),
        ]

    def _wait(self, name: bytes, budget: int, now: datetime) -> timedelta:
        recent = [at for at in self._attempts.get(name, ()) if at > now - WINDOW]
        if not recent:
            self._attempts.pop(name, None)
            return timedelta(0)
        self._attempts[name] = recent
        return recent[-budget] + WINDOW - now if len(recent) >= budget else timedelta(0)

    def _name(self, *parts: str) -> bytes:
        digest = hashlib.blake2b(key=self._key, digest_size=16)
        for part in map(str.encode, parts):
            digest.update(len(part).to_bytes(4) + part)
        return digest.digest()
