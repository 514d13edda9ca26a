"""Forgetting what is over: sessions, marks of browsers, challenges, apps that nobody confirmed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from psycopg import Error

from immuni.clock import Clock
from immuni.portal.factors.store import FactorStore
from immuni.portal.settings import PortalSettings
from immuni.portal.signing_in.store import SessionStore
from immuni.portal.signing_in.throttle import KNOWN_BROWSER_LIFETIME
from immuni.telemetry import logger

_PERIOD: Final = timedelta(minutes=10)
_log: Final = logger("portal")


class Purging:
    """Deletes in the background; several processes may do so at once."""

    def __init__(
        self,
        sessions: SessionStore,
        factors: FactorStore,
        *,
        clock: Clock,
        settings: PortalSettings,
    ) -> None:
        """Keep what tells how old things may get."""
        self._sessions = sessions
        self._factors = factors
        self._clock = clock
        self._settings = settings

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Purge every ten minutes for as long as the block runs."""
        task = asyncio.create_task(self._forever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def once(self) -> bool:
        """Forget what is over by now; a database that does not answer is told in the log.

        Returns:
            Whether it was done.
        """
        now = self._clock.now()
        try:
            await self._sessions.purge_sessions(before=now - self._settings.portal_session_lifetime)
            await self._sessions.purge_browsers(before=now - KNOWN_BROWSER_LIFETIME)
            await self._factors.purge(now=now)
        except Error as error:
            _log.warning("purge_failed", error=type(error).__name__)
            return False
        return True

    async def _forever(self) -> None:
        while True:
            await self.once()
            await asyncio.sleep(_PERIOD.total_seconds())
