"""Refuses sources that keep sending wrong codes, without keeping an address."""

import hashlib
from datetime import datetime, timedelta
from typing import Final, NewType

from prometheus_client import CollectorRegistry, Counter

from immuni.backend.errors import TooManyRequestsError
from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.web import subscriber_of

SourceKey = NewType("SourceKey", bytes)
"""A keyed hash of where a request came from; its key lives for an hour, in memory only."""

_WINDOW: Final = timedelta(minutes=1)
_KEY_LIFETIME: Final = timedelta(hours=1)
_KEY_BYTES: Final = 32
_HASH_BYTES: Final = 16


class WrongCodeMetrics:
    """Counts the wrong codes of all sources together, for the alert."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the counter in `registry`."""
        self._wrong = Counter(
            "immuni_ingestion_wrong_codes",
            "Checks and uploads whose code granted nothing, from all sources together.",
            registry=registry,
        )

    def count(self) -> None:
        """Count one."""
        self._wrong.inc()


class WrongCodeLimiter:
    """Counts wrong codes per source and minute.

    The total is only told: refusing on it would let anybody stop every upload in the country.

    Privacy:
        Neither an address nor anything that an address can be computed from outlives the hour.
    """

    def __init__(
        self, *, rate: int, metrics: WrongCodeMetrics, clock: Clock, entropy: Entropy
    ) -> None:
        """Allow `rate` wrong codes a minute from one source."""
        self._rate = rate
        self._metrics = metrics
        self._clock = clock
        self._entropy = entropy
        self._wrong: dict[SourceKey, int] = {}
        self._window_end = self._key_end = clock.now()
        self._key = b""

    def check(self, address: str) -> None:
        """Let a source go on.

        Raises:
            TooManyRequestsError: It sent too many wrong codes within this minute.
        """
        now = self._advance()
        # Without a wrong code in this minute, as in most, nobody's address is looked at.
        if self._wrong and self._wrong.get(self._source(address), 0) >= self._rate:
            wait = self._window_end - now
            raise TooManyRequestsError("too many wrong codes", retry_after=wait)

    def count_wrong(self, address: str) -> None:
        """Count one wrong code from the source."""
        self._advance()
        source = self._source(address)
        self._wrong[source] = self._wrong.get(source, 0) + 1
        self._metrics.count()

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
        subscriber = subscriber_of(address).encode("ascii")
        digest = hashlib.blake2b(subscriber, key=self._key, digest_size=_HASH_BYTES)
        return SourceKey(digest.digest())
