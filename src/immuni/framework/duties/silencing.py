"""Making sure that a radio that was told to stop is silent."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from immuni.ble import Radio, RadioError
from immuni.framework.duties.duty import RETRY_PERIOD
from immuni.framework.status import InactiveReason

_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)


class Silencing:
    """The duty that stops a broadcast, and does not give up before the radio is silent.

    It is at rest unless a stop failed. A duty of its own: the one that broadcasts is at rest by
    then, and must not begin again because a stop is due.
    """

    def __init__(self, radio: Radio, lock: asyncio.Lock) -> None:
        """Begin at rest.

        Args:
            radio: What is to be silent.
            lock: Held by whoever starts or stops a broadcast.
        """
        self._radio = radio
        self._lock = lock
        self._due: datetime | None = None
        self.fault: InactiveReason | None = None

    def next_due(self) -> datetime | None:
        """Return when to try again, None where there is nothing to stop."""
        return self._due

    def begin(self, now: datetime) -> None:
        """Try at `now`."""
        self._due = now

    async def rest(self) -> None:
        """Try no more: something is to be broadcast again."""
        self._due = None
        self.fault = None

    async def act(self, now: datetime) -> None:
        """Try again."""
        async with self._lock:
            if self._due is not None:
                await self._stop(retry_at=now + RETRY_PERIOD)

    async def fall_silent(self) -> None:
        """Stop what is broadcast; where that fails, go on trying. The caller holds the lock."""
        await self._stop(retry_at=_AT_ONCE)

    async def _stop(self, *, retry_at: datetime) -> None:
        try:
            await self._radio.stop_broadcast()
        except RadioError:
            self._due = retry_at
            self.fault = InactiveReason.RADIO_LOST
        else:
            await self.rest()
