"""What a phone does again and again.

A duty knows when it is due next, and acts when it is told what time it is. It never waits: in
`immuni.framework.duties.life` the same duties are driven in real time or in compressed time.
"""

from datetime import datetime, timedelta
from typing import Final, Protocol

from immuni.framework.status import InactiveReason
from immuni.framework.store import Store
from immuni.framework.store.encrypted_database import CorruptStoreError, StoreError, StoreFullError

RETRY_PERIOD: Final = timedelta(minutes=1)
"""Time until what failed is tried again."""
PURGE_PERIOD: Final = timedelta(hours=1)


def store_fault(error: StoreError) -> InactiveReason:
    """Return what is told of a store that failed."""
    if isinstance(error, StoreFullError):
        return InactiveReason.STORE_FULL
    if isinstance(error, CorruptStoreError):
        return InactiveReason.STORE_DAMAGED
    return InactiveReason.STORE_FAILED


class Duty(Protocol):
    """One thing that a phone does again and again.

    Attributes:
        fault: What kept it from acting the last time.
    """

    fault: InactiveReason | None

    def next_due(self) -> datetime | None:
        """Return when to act next, None while at rest."""
        ...

    def begin(self, now: datetime) -> None:
        """Be due at `now`, whatever was planned."""
        ...

    async def rest(self) -> None:
        """Act no more until told to begin."""
        ...

    async def act(self, now: datetime) -> None:
        """Do it; what fails is kept as `fault` and tried again later."""
        ...


class Purging:
    """Deletes what is more than 14 days old."""

    def __init__(self, store: Store) -> None:
        """Begin at rest."""
        self._store = store
        self._due: datetime | None = None
        self.fault: InactiveReason | None = None

    def next_due(self) -> datetime | None:
        """Return when to purge next."""
        return self._due

    def begin(self, now: datetime) -> None:
        """Purge from `now` on."""
        self._due = now

    async def rest(self) -> None:
        """Purge no more."""
        self._due = None

    async def act(self, now: datetime) -> None:
        """Purge once."""
        self._due = now + PURGE_PERIOD
        try:
            self._store.purge(now)
        except StoreError as error:
            self.fault = store_fault(error)
        else:
            self.fault = None
