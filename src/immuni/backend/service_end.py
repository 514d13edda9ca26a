"""When the service ends, as the published settings say, and what closes on that day.

Services do not ask each other. Those of the services' database follow the published date through a
view of it, and of nothing else; a job carries it to the analytics database.

Source:
    Overview, `service_end_date`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.api import Platform
from immuni.backend.following import Follower, FollowingSettings
from immuni.clock import Clock
from immuni.database import Pool
from immuni.web import RetryLaterError

_SETTINGS_CHANNEL: Final = "immuni_settings"
_ANALYTICS_CHANNEL: Final = "immuni_service_end"
_FIRST_READ_SECONDS: Final = 5.0
_RETRY_AFTER: Final = timedelta(hours=1)
_Read = Callable[[AsyncConnection[TupleRow]], Awaitable[date | None]]


class ServiceEndedError(RetryLaterError):
    """The service has ended, or is not known to go on; nothing was looked at."""


@dataclass(frozen=True, slots=True)
class EndEntry:
    """What the settings in force say to some phones.

    Attributes:
        platform: These phones' platform.
        starting_build: Their first build.
        ends_on: The day from which on there is no service; None where it goes on.
    """

    platform: Platform
    starting_build: int
    ends_on: date | None


def end_for_all(entries: Iterable[EndEntry]) -> date | None:
    """Return the day on which the service has ended for every phone; None where it goes on.

    What is deleted cannot be had back. So a date that some build or platform is not told, or is
    told later, does not end the service for the others.
    """
    told = sorted(entries, key=lambda each: each.starting_build)
    ends: list[date] = []
    for platform in Platform:
        ours = [each for each in told if each.platform is platform]
        if not ours or ours[0].starting_build > 1:
            return None
        for each in ours:
            if each.ends_on is None:
                return None
            ends.append(each.ends_on)
    return max(ends)


async def read_published_end(connection: AsyncConnection[TupleRow]) -> date | None:
    """Return the day that the settings in force say, in the services' database."""
    cursor = await connection.execute(
        "SELECT platform, starting_build, ends_on FROM configuration.service_end"
    )
    return end_for_all(
        [EndEntry(Platform(platform), build, ends_on) async for platform, build, ends_on in cursor]
    )


async def read_carried_end(connection: AsyncConnection[TupleRow]) -> date | None:
    """Return the day that was carried to the analytics database."""
    cursor = await connection.execute("SELECT ends_on FROM analytics.service_end")
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def carry_end(analytics: Pool, ends_on: date | None) -> None:
    """Tell the analytics database, where it does not know it yet."""
    async with analytics.connection() as connection:
        if await read_carried_end(connection) != ends_on:
            await connection.execute("UPDATE analytics.service_end SET ends_on = %s", [ends_on])
            await connection.execute("SELECT pg_notify(%s, '')", [_ANALYTICS_CHANNEL])


async def published_end(pool: Pool) -> date | None:
    """Return the day that the settings in force say, on a connection of `pool`."""
    async with pool.connection() as connection:
        return await read_published_end(connection)


async def has_ended(pool: Pool, *, now: datetime) -> bool:
    """Tell whether everything may be deleted, by our clock and by the database's.

    One clock that is ahead must not end the service of a country.
    """
    async with pool.connection() as connection:
        ends_on = await read_published_end(connection)
        cursor = await connection.execute("SELECT (now() AT TIME ZONE 'UTC')::date")
        row = await cursor.fetchone()
    return ends_on is not None and row is not None and ends_on <= min(now.date(), row[0])


class ServiceEnd:
    """Closes a service's intake from the published day on.

    A date that is withdrawn before its day, or moved, opens and closes it accordingly: nothing is
    kept but what the settings in force say.
    """

    def __init__(
        self, url: str, *, channel: str, read: _Read, clock: Clock, settings: FollowingSettings
    ) -> None:
        """Prepare to follow; use `of_services` or `of_analytics`."""
        self._clock = clock
        self._read = read
        self._ends_on: date | None = None
        self._known = asyncio.Event()
        self._follower = Follower(url, channel=channel, refresh=self._refresh, settings=settings)

    @classmethod
    def of_services(cls, url: str, *, clock: Clock, settings: FollowingSettings) -> "ServiceEnd":
        """Follow the published settings in the services' database, with the service's own role."""
        return cls(
            url, channel=_SETTINGS_CHANNEL, read=read_published_end, clock=clock, settings=settings
        )

    @classmethod
    def of_analytics(cls, url: str, *, clock: Clock, settings: FollowingSettings) -> "ServiceEnd":
        """Follow what a job carries to the analytics database."""
        return cls(
            url, channel=_ANALYTICS_CHANNEL, read=read_carried_end, clock=clock, settings=settings
        )

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Follow for as long as the block runs; it begins when the date is known, or soon."""
        async with self._follower.running():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._known.wait(), _FIRST_READ_SECONDS)
            yield

    def is_over(self) -> bool:
        """Tell whether the day is known to have come."""
        return self._ends_on is not None and self._clock.now().date() >= self._ends_on

    def check(self, _source: str = "") -> None:
        """Refuse a request, genuine or dummy, when the service has ended.

        Raises:
            ServiceEndedError: It has; or nobody could read yet whether it has.
        """
        if not self._known.is_set():
            raise ServiceEndedError(
                "not read from the database yet", retry_after=timedelta(seconds=5)
            )
        if self.is_over():
            raise ServiceEndedError("the service has ended", retry_after=_RETRY_AFTER)

    async def _refresh(self, connection: AsyncConnection[TupleRow]) -> None:
        self._ends_on = await self._read(connection)
        self._known.set()
