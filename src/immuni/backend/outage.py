"""Remembers for a moment that the database is down, so that every request is told the same."""

from datetime import datetime

from immuni.backend.errors import UnavailableError
from immuni.clock import Clock


class Outage:
    """An outage that a genuine request ran into.

    Dummies touch no database. If they were answered well while genuine requests are refused,
    everybody could tell them apart.
    """

    def __init__(self, clock: Clock) -> None:
        """Start without an outage."""
        self._clock = clock
        self._until: datetime | None = None

    def check(self, _source: str) -> None:
        """Refuse a request while the last one that was turned away has to wait.

        Raises:
            UnavailableError: It has to wait as well.
        """
        if self._until is None:
            return
        wait = self._until - self._clock.now()
        if wait.total_seconds() > 0:
            raise UnavailableError("the database does not answer", retry_after=wait)
        self._until = None

    def begin(self, error: UnavailableError) -> None:
        """Remember that a request ran into an outage, for as long as it was told to wait."""
        self._until = self._clock.now() + error.retry_after
