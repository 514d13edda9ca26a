"""Noticing that the clock of the device was turned back."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from immuni.framework.store import Store
from immuni.framework.store.encrypted_database import StoreError

TOLERANCE: Final = timedelta(hours=1)
"""Less than the two hours for which published keys are held back."""

_FACT: Final = "latest_instant"
_PERSIST_AFTER: Final = timedelta(hours=1)
_SMALL_STEP: Final = timedelta(minutes=1)


class ClockWatch:
    """Remembers the latest instant that the phone has seen, also over a restart.

    A clock that is turned back would let published keys pass for those of living phones.
    """

    def __init__(self, store: Store) -> None:
        """Go on from what the store remembers."""
        self._store = store
        fact = store.fact(_FACT)
        self._persisted = datetime.fromisoformat(fact) if fact is not None else None
        self._latest = self._persisted
        self._last = self._persisted

    def notice(self, now: datetime) -> bool:
        """Learn what time it is, and tell whether the clock went back since the last time."""
        went_back = self._last is not None and now < self._last - _SMALL_STEP
        self._last = now
        self._latest = max(now, self._latest or now)
        if self._persisted is None or self._latest >= self._persisted + _PERSIST_AFTER:
            # Without it a clock that is turned back over a restart goes unnoticed; a store that
            # cannot be written shows in the status by itself.
            with suppress(StoreError):
                self._remember(self._latest)
        return went_back

    def is_behind(self, now: datetime) -> bool:
        """Tell whether the clock stands so far back that it cannot be trusted."""
        return self._latest is not None and now < self._latest - TOLERANCE

    def trust(self, now: datetime) -> None:
        """Believe the clock from now on, and forget what it dated later.

        Raises:
            StoreError: The clock is trusted only until the next start.
        """
        self._last = self._latest = now
        self._store.forget_after(now)
        self._remember(now)

    def _remember(self, instant: datetime) -> None:
        self._store.keep_fact(_FACT, instant.isoformat())
        self._persisted = instant
