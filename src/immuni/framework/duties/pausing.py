"""A pause that the user takes from exposure notifications."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from immuni.errors import ImmuniError
from immuni.framework.status import InactiveReason
from immuni.framework.store import Store
from immuni.framework.store.encrypted_database import CorruptStoreError, StoreError

_FACT: Final = "pause"
_NONE: Final = ""
_WITHOUT_END: Final = "until resumed"


class NaiveInstantError(ImmuniError, ValueError):
    """An instant has no time zone, so nobody knows when it is; nothing changed."""


class Pausing:
    """The duty that ends a pause when its time is over. A pause survives a restart.

    Attributes:
        is_on: Whether there is a pause.
        until: When it ends by itself; None where it does not, or where there is none.
        fault: Never any: what the end of a pause begins has faults of its own.
    """

    fault: InactiveReason | None = None

    def __init__(self, store: Store, go_on: Callable[[datetime], Awaitable[None]]) -> None:
        """Go on from what the store remembers.

        Args:
            store: The phone's database.
            go_on: Called when a pause ends.

        Raises:
            CorruptStoreError: What the store holds in its place is none.
        """
        self._store = store
        self._go_on = go_on
        fact = store.fact(_FACT) or _NONE
        self.is_on = fact != _NONE
        self.until = _instant(fact) if fact not in (_NONE, _WITHOUT_END) else None

    def take(self, until: datetime | None) -> None:
        """Pause from now on, in place of a pause that there may be.

        Raises:
            NaiveInstantError: `until` has no time zone; nothing changed.
            StoreError: The pause lasts only until the next start.
        """
        if until is not None and until.utcoffset() is None:
            raise NaiveInstantError("the end of a pause needs a time zone")
        self.is_on, self.until = True, until
        self._store.keep_fact(_FACT, _WITHOUT_END if until is None else until.isoformat())

    def end(self) -> None:
        """End the pause.

        Raises:
            StoreError: It will be there again at the next start.
        """
        self.is_on, self.until = False, None
        self._store.keep_fact(_FACT, _NONE)

    def next_due(self) -> datetime | None:
        """Return when the pause ends by itself."""
        return self.until

    def begin(self, now: datetime) -> None:
        """End the pause at `now`: with a clock that was set, its length means nothing."""
        if self.until is not None:
            self.until = now

    async def rest(self) -> None:
        """Let the pause be as it is: it goes on while the phone is off."""

    async def act(self, now: datetime) -> None:
        """End the pause, and go on."""
        # Noted too: with a clock that was set back, it would be there again at the next start. A
        # store that cannot be written shows in the status by itself.
        with suppress(StoreError):
            self.end()
        await self._go_on(now)

    def forget(self) -> None:
        """Know of no pause, as the store does that was erased."""
        self.is_on, self.until = False, None


def _instant(fact: str) -> datetime:
    try:
        return datetime.fromisoformat(fact)
    except ValueError as error:
        raise CorruptStoreError("the pause cannot be read") from error
