"""Refuses sources that keep sending wrong codes, without keeping an address."""

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final, NewType

from immuni.backend.errors import TooManyRequestsError
from immuni.clock import Clock
from immuni.entropy import Entropy

SourceKey = NewType("SourceKey", bytes)
"""A keyed hash of where a request came from; its key lives for an hour, in memory only."""

_WINDOW: Final = timedelta(minutes=1)
_KEY_LIFETIME: Final = timedelta(hours=1)
_KEY_BYTES: Final = 32
_HASH_BYTES: Final = 16
_SUBSCRIBER_BYTES: Final = 8
"""One subscriber has the lower half of an IPv6 address to himself: it must not buy him guesses."""


class WrongCodeLimiter:
    """Counts wrong codes per source and minute.

    The total is only counted: refusing on it would let anybody stop every upload in the country.

    Privacy:
        Neither an address nor anything that an address can be computed from outlives the hour.
    """

    def __init__(self, *, rate: int, clock: Clock, entropy: Entropy) -> None:
        """Allow `rate` wrong codes a minute from one source."""
        self._rate = rate
        self._clock = clock
        self._entropy = entropy
        self._wrong: Counter[SourceKey] = Counter()
        self._window_end = self._key_end = clock.now()
        self._key = b""

    def check(self, address: str) -> None:
        """Let a source go on.

        Raises:
            TooManyRequestsError: It sent too many wrong codes within this minute.
        """
        now = self._advance()
        if self._wrong[self._source(address)] >= self._rate:
            wait = self._window_end - now
            raise TooManyRequestsError("too many wrong codes", retry_after=wait)

    def count_wrong(self, address: str) -> None:
        """Count one wrong code from the source."""
        self._advance()
        self._wrong[self._source(address)] += 1

    def _advance(self) -> datetime:
        """Forget what belongs to a minute that is over, and the key of an hour that is over."""
        now = self._clock.now()
        # A clock that is set back must not keep a source out for longer than a minute.
        if not self._window_end - _WINDOW <= now < self._window_end:
            self._wrong.clear()
            self._window_end = now + _WINDOW
        if not self._key_end - _KEY_LIFETIME <= now < self._key_end:
            self._wrong.clear()
            self._key = self._entropy.token(_KEY_BYTES)
            self._key_end = now + _KEY_LIFETIME
        return now

    def _source(self, address: str) -> SourceKey:
        digest = hashlib.blake2b(_subscriber(address), key=self._key, digest_size=_HASH_BYTES)
        return SourceKey(digest.digest())


def _subscriber(address: str) -> bytes:
    """Return the part of an address that stands for one subscriber; the same for all unknown."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return b""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return parsed.packed[:_SUBSCRIBER_BYTES]
    return parsed.packed[-4:]
