"""What the App does without being asked: sessions when they are due, and notifications.

Everything that is decided here is kept at once, so that a restart neither repeats a notification
that was shown nor forgets one that was not, and sessions go on as they were planned.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from immuni.app.notifications import Notification
from immuni.app.phone import Phone
from immuni.app.reminders import reminded_of_onboarding
from immuni.app.schedule import is_session_due, next_session, sooner_after
from immuni.app.storage import AppStore
from immuni.clock import Clock
from immuni.entropy import Entropy


class Notifier(Protocol):
    """Where notifications appear."""

    async def show(self, notification: Notification) -> bool:
        """Show a notification, and return whether there was somebody to show it."""
        ...

    async def withdraw(self) -> None:
        """Take back whatever still stands on the screen."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Waking:
    """The App between two looks of its user at it.

    Attributes:
        phone: The phone.
        store: Its memory.
        clock: Its clock.
        entropy: Its randomness.
        notifier: Where notifications appear.
        look_around: Finds out how things are on the device now.
    """

    phone: Phone
    store: AppStore
    clock: Clock
    entropy: Entropy
    notifier: Notifier
    look_around: Callable[[], Awaitable[None]]

    async def wake(self) -> None:
        """Do what is due, which is nothing most of the time.

        Raises:
            StoreError: The App's memory could not be written; it is as it was.
        """
        await self.look_around()
        await self.phone.ending.heed()
        now = self.clock.now()
        if not self.phone.is_at_work:
            self.store.update(lambda record: reminded_of_onboarding(record, now=now))
        elif is_session_due(self.store.record, now=now):
            await self._session()
        await self._tell()

    async def _session(self) -> None:
        # Planned before it begins: one that brings the process down is not repeated at once.
        planned = next_session(now=self.clock.now(), entropy=self.entropy)
        self.store.update(lambda record: replace(record, next_session=planned))
        await self.phone.background_session()
        now = self.clock.now()
        self.store.update(
            lambda record: replace(
                record, next_session=sooner_after(record.failure, planned, now=now)
            )
        )

    async def _tell(self) -> None:
        """Show what was not shown yet; the user who has looked at the App knows it already."""
        if not await self.phone.teller.tell(self.notifier.show):
            await self.notifier.withdraw()
