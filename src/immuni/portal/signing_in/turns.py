"""A session's cookie changes while it is used, so that a copy of it does not go unnoticed.

Beside the secret that stays, the cookie holds a *turn*. From time to time the answer to a request
offers the next one, to each request another; the first of them that is shown is the one that counts
from then on. Whoever shows another one later holds a copy, or the copy was used before: the session
ends, for both.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from immuni.entropy import Entropy
from immuni.errors import ImmuniError

PERIOD: Final = timedelta(minutes=5)
"""For how long a turn counts before the next one is offered."""
GRACE: Final = timedelta(minutes=1)
"""For how long requests are taken that were under way when a turn changed."""
TURN_BYTES: Final = 16

_OFFERS_AT_MOST: Final = 8


class CopiedCookieError(ImmuniError, PermissionError):
    """A cookie is not the one that its session's browser holds now."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns that a session knows.

    The database holds them as they are: without the secret beside them they open nothing.

    Attributes:
        current: The one that counts.
        since: From when on.
        offered: Those of which one will be the next, the newest last; answers may get lost.
        before: Those that can have been under way when `current` began.
    """

    current: bytes = field(repr=False)
    since: datetime
    offered: tuple[bytes, ...] = field(default=(), repr=False)
    before: tuple[bytes, ...] = field(default=(), repr=False)

    def shown(self, turn: bytes, *, now: datetime, entropy: Entropy) -> tuple["Turns", bytes]:
        """Take a turn that was shown.

        Returns:
            What the session knows from now on, and what the cookie shall hold: the same, or an
            offer. A turn of before is told nothing new, or a copy could keep up.

        Raises:
            CopiedCookieError: The turn is over, or never was.
        """
        if turn in self.offered:
            others = [each for each in self.offered if each != turn]
            return Turns(turn, now, before=(self.current, *others)), turn
        if turn == self.current:
            return self._offering(turn, now, entropy)
        if turn in self.before and now < self.since + GRACE:
            return self, turn
        raise CopiedCookieError("the cookie's turn is over")

    def _offering(self, turn: bytes, now: datetime, entropy: Entropy) -> tuple["Turns", bytes]:
        if now < self.since + PERIOD:
            return self, turn
        offer = entropy.token(TURN_BYTES)
        offered = (*self.offered, offer)[-_OFFERS_AT_MOST:]
        return replace(self, offered=offered), offer
