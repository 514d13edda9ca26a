"""Counting by day: how many codes were authorised, checked and used, and how soon.

Source:
    Analytics, "What operators see".
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from psycopg import Error

from immuni.backend.connections import single_statement
from immuni.database import Pool
from immuni.errors import ImmuniError
from immuni.telemetry import logger

_EVERY: Final = timedelta(minutes=1)
_FLUSHED_WITHIN_SECONDS: Final = 3.0
_ADD: Final = """
    INSERT INTO ingestion.daily_counter (day, name, count)
    SELECT * FROM unnest(%s::date[], %s::text[], %s::bigint[])
    ON CONFLICT (day, name) DO UPDATE SET count = daily_counter.count + excluded.count
"""
_log = logger("counting")


class Counted(StrEnum):
    """What is counted. Delays are from a code's authorisation to its upload."""

    AUTHORISED = "authorised"
    CHECKED = "checked"
    DELAY_BELOW_30 = "delay:<30s"
    DELAY_30_TO_60 = "delay:30-60s"
    DELAY_60_TO_90 = "delay:60-90s"
    DELAY_90_TO_120 = "delay:90-120s"
    DELAY_120_TO_150 = "delay:120-150s"
    DELAY_FROM_150 = "delay:>150s"


_DELAYS: Final = tuple(each for each in Counted if each.startswith("delay:"))
_DELAY_STEP: Final = timedelta(seconds=30)


def delay_counter(delay: timedelta) -> Counted:
    """Return where a delay counts; each bound belongs to the counter above it.

    Two machines' clocks differ: a negative delay is a short one.
    """
    step = max(0, delay // _DELAY_STEP)
    return _DELAYS[min(step, len(_DELAYS) - 1)]


class DailyCounters:
    """Counts in memory, and adds it up in the database once a minute and at an orderly stop.

    Counting costs no request anything, and holds one number for each day and name. A process that
    is killed loses what it counted in its last minute, or since the database went away: statistics,
    and nothing else. Where the connection breaks in the moment of a flush, nobody knows whether it
    was stored; it is added again, and may count twice.

    Privacy:
        A flush joins whatever was counted in a minute, in a transaction of its own: no counter
        shares one with a code or an upload. There is no time but the day.
    """

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._counts: Counter[tuple[date, Counted]] = Counter()

    def count(self, counted: Counted, at: datetime, *, times: int = 1) -> None:
        """Count so many more on the day of `at`, which is in UTC."""
        if times:
            self._counts[at.date(), counted] += times

    async def flush(self, pool: Pool) -> None:
        """Add to the database what was counted since the last time.

        Raises:
            UnavailableError: The database does not answer; the counts are kept for the next flush.
        """
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        # In one order for all processes: no two of them wait for each other.
        rows = sorted(counts.items())
        days, names = [day for (day, _), _ in rows], [str(name) for (_, name), _ in rows]
        try:
            async with single_statement(pool) as connection:
                await connection.execute(_ADD, [days, names, [count for _, count in rows]])
        except BaseException:
            self._counts.update(counts)
            raise

    def forget(self) -> None:
        """Drop what was not flushed."""
        self._counts.clear()

    @asynccontextmanager
    async def flushed_to(
        self, pool: Pool, *, is_over: Callable[[], bool], every: timedelta = _EVERY
    ) -> AsyncIterator[None]:
        """Flush regularly for as long as the block runs, and once more at its end.

        Args:
            pool: Connections that may add to the counters.
            is_over: Tells that the service has ended. Then everything is deleted, and nothing may
                be added to it any more: what was counted is forgotten.
            every: How often.
        """
        stopping = asyncio.Event()
        task = asyncio.create_task(self._flush_regularly(pool, is_over, stopping, every))
        try:
            yield
        finally:
            # Not cancelled: in the middle of a flush, nobody would know whether it was stored.
            stopping.set()
            await task

    async def _flush_regularly(
        self, pool: Pool, is_over: Callable[[], bool], stopping: asyncio.Event, every: timedelta
    ) -> None:
        is_last = False
        while not is_last:
            with suppress(TimeoutError):
                async with asyncio.timeout(every.total_seconds()):
                    await stopping.wait()
            # Looked at before the flush: what is counted during it is in the next.
            is_last = stopping.is_set()
            if is_over():
                self.forget()
            await self._try_to_flush(pool)

    async def _try_to_flush(self, pool: Pool) -> None:
        try:
            # A database that says nothing must not hold up an orderly stop.
            async with asyncio.timeout(_FLUSHED_WITHIN_SECONDS):
                await self.flush(pool)
        except (Error, ImmuniError, TimeoutError) as error:
            _log.warning("counting_interrupted", kind=type(error).__name__)
