"""Following what others write to the database: woken by NOTIFY, with a poll behind it.

A service that answers from memory refreshes it this way. Where notifications cannot get through
(a pooler, a replica), the poll alone keeps it fresh enough.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from psycopg import AsyncConnection, Error
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from immuni.backend.errors import UnavailableError
from immuni.errors import ImmuniError
from immuni.settings import duration, setting
from immuni.telemetry import logger

Connection = AsyncConnection[TupleRow]
Refresh = Callable[[Connection], Awaitable[None]]

_PAUSE_SECONDS: Final = 1.0
_STALE_POLLS: Final = 30
_log = logger("following")


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingSettings:
    """How services that answer from memory keep up with the database."""

    refresh_poll: timedelta = setting(
        duration("100ms", "5m"),
        default=timedelta(seconds=1),
        meaning="How often the database is asked for news where no notification came.",
    )


class Follower:
    """Calls `refresh` at the start, after each notification, and after each poll interval.

    `refresh` must not fail halfway: it replaces what is in memory as a whole, or leaves it.
    """

    def __init__(
        self, url: str, *, channel: str, refresh: Refresh, settings: FollowingSettings
    ) -> None:
        """Prepare to follow; nothing is connected yet.

        Args:
            url: A direct connection to the primary: a pooler does not pass notifications on.
            channel: PostgreSQL's name of the notifications.
            refresh: Reads what is new, in a transaction of its own.
            settings: How often to poll.
        """
        self._url = url
        self._channel = channel
        self._refresh = refresh
        self._poll = settings.refresh_poll.total_seconds()
        self._refreshed_at: float | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow in the background for as long as the block runs."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def check_read(self) -> None:
        """Refuse to answer from a memory that holds nothing yet; an old one is better than none.

        Raises:
            UnavailableError: Nothing was read so far.
        """
        if self._refreshed_at is None:
            raise UnavailableError("not read from the database yet")

    async def is_fresh(self) -> None:
        """Say whether what is in memory keeps up with the database.

        Raises:
            UnavailableError: It was never read, or not for many polls.
        """
        now = asyncio.get_running_loop().time()
        if self._refreshed_at is None or now - self._refreshed_at > self._poll * _STALE_POLLS:
            raise UnavailableError("not refreshed from the database")

    async def _follow(self) -> None:
        while True:
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await self._follow_over(connection)
            except (Error, ImmuniError) as error:
                _log.warning(
                    "following_interrupted", channel=self._channel, kind=type(error).__name__
                )
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _follow_over(self, connection: Connection) -> None:
        # Listening before the first read: what is written in between is not missed.
        await connection.execute(SQL("LISTEN {}").format(Identifier(self._channel)))
        while True:
            async with connection.transaction():
                await self._refresh(connection)
            self._refreshed_at = asyncio.get_running_loop().time()
            async for _ in connection.notifies(timeout=self._poll, stop_after=1):
                pass
