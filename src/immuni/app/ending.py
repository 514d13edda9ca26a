"""Does what the end of the service asks of a phone."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from immuni.app.framework_port import Framework
from immuni.app.service_end import has_ended, may_erase, remains, with_end_told
from immuni.app.storage import AppStore
from immuni.clock import Clock
from immuni.device import DeviceUnreachableError
from immuni.framework import InactiveReason, KeyStoreError, StoreError

_NOTHING_TO_SILENCE: Final = frozenset({InactiveReason.NOT_STARTED, InactiveReason.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of the service on one phone: silence, word to the user, and nothing left.

    Attributes:
        store: The App's memory.
        framework: The device's exposure notifications.
        clock: The phone's clock.
        erase: Destroys all that is stored on the phone, but for what `remains`.
    """

    store: AppStore
    framework: Framework
    clock: Clock
    erase: Callable[[], Awaitable[None]]

    @property
    def has_come(self) -> bool:
        """Whether there is no service any more, as far as the phone knows."""
        return has_ended(self.store.record, now=self.clock.now())

    @property
    def is_complete(self) -> bool:
        """Whether the App knows nothing of its user any more."""
        return self.store.record == remains(self.store.record)

    async def heed(self, *, server_now: datetime | None = None) -> None:
        """Fall silent, tell the user and erase where the service has ended; else go on.

        What could not be done now, because the device does not answer, is done the next time.

        Args:
            server_now: The server's clock, where a server told it just now with the settings.

        Raises:
            StoreError: The App's memory could not be written; it is as it was.
        """
        now = self.clock.now()
        if not self.has_come:
            await self._go_on()
        elif not self.is_complete:
            await self._fall_silent()
            self.store.update(lambda record: with_end_told(record, now=now))
            if may_erase(self.store.record, now=now, server_now=server_now):
                with suppress(DeviceUnreachableError, StoreError, KeyStoreError):
                    await self.erase()

    async def _fall_silent(self) -> None:
        if _NOTHING_TO_SILENCE & self.framework.status().reasons:
            return
        # Noted first: a phone that is killed in between must not stay silent for ever.
        self.store.update(lambda record: replace(record, is_silenced=True))
        with suppress(DeviceUnreachableError, StoreError):
            await self.framework.stop()

    async def _go_on(self) -> None:
        """Switch the radio on again where the end has been put off, or a clock was wrong."""
        if self.store.record.is_silenced:
            with suppress(DeviceUnreachableError, StoreError):
                await self.framework.start()
                self.store.update(lambda record: replace(record, is_silenced=False))
