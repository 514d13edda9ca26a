"""How what the user is told reaches them: each notification once, whoever shows it."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from immuni.app.notifications import Notification, untold
from immuni.app.storage import AppStore


class Teller:
    """Hands out what is to be shown; the desktop and the pages in a browser may both ask."""

    def __init__(self, store: AppStore) -> None:
        """Tell what `store` remembers."""
        self._store = store
        self._one_by_one = asyncio.Lock()

    async def tell(self, show: Callable[[Notification], Awaitable[bool]]) -> bool:
        """Hand what was not shown yet to `show`, the oldest first, until that refuses.

        What was shown is kept at once. Meanwhile whoever else asks waits, so that nothing is shown
        twice.

        Args:
            show: Shows a notification, and returns whether there was somebody to show it.

        Returns:
            Whether something stands; False when the user has looked at the App, and knows it all.

        Raises:
            StoreError: The App's memory could not be written; it is as it was.
        """
        async with self._one_by_one:
            if self._store.record.unseen is None:
                for latest in self._store.record.notifications[-1:]:
                    self._note(latest)
                return False
            for notification in untold(self._store.record.notifications, self._store.record.told):
                if not await show(notification):
                    break
                self._note(notification)
            return True

    def _note(self, told: Notification) -> None:
        self._store.update(lambda record: replace(record, told=told))
