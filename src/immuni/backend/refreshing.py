"""Refreshes the figures that people see of analytics: counts days that are over, and decides.

Every day is counted once and decided once, in the order of days. Wherever it stops, going on comes
to the same: what was decided is stored with the day, in one transaction.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.api import ConfigurationSettings, Territory
from immuni.backend.analytics.insights.closing import close_day
from immuni.backend.analytics.insights.counting import (
    DayElsewhere,
    RateFrom,
    count_day,
    uncounted_days,
)
from immuni.backend.analytics.insights.counts import MonthCounts
from immuni.backend.analytics.insights.figures import (
    Breakdown,
    Figures,
    Ledger,
    Span,
    Subject,
    TableName,
)
from immuni.backend.analytics.insights.periods import ends_period
from immuni.backend.analytics.insights.rates import effective_rates
from immuni.backend.analytics.insights.settings import InsightsSettings
from immuni.backend.analytics.insights.store import (
    days_to_close,
    forget_counts,
    keep_rates,
    keep_tables,
    load_counts,
    load_ledger,
    load_rates,
)
from immuni.backend.analytics.rules import first_of_month, month_before
from immuni.backend.connections import PoolOpener, exclusive
from immuni.database import Pool

# Any constant will do; it must differ from the other locks.
_REFRESH_LOCK: Final = 0x66696775726573
_GRACE: Final = timedelta(hours=1)
"""After a day's end, for what was on its way."""
_PATIENCE: Final = timedelta(days=3)
"""For uploads that are not carried over yet: of these days none is counted before they are."""
_WAITING: Final = "SELECT min(received_on) FROM ingestion.outbox WHERE received_on >= %s"
_CODES: Final = "SELECT name, count FROM ingestion.daily_counter WHERE day = %s"
_RATES: Final = """
    SELECT platform, starting_build, name, value, withdrawn FROM configuration.sampling_rate
    WHERE platform IS NOT NULL AND version =
        (SELECT max(version) FROM configuration.sampling_rate WHERE published_at <= %s)
"""
_CHUNKS: Final = """
    SELECT count(*), coalesce(sum(key_count), 0)::bigint, coalesce(sum(size_bytes), 0)::bigint
    FROM publishing.chunk WHERE (window_end AT TIME ZONE 'UTC')::date = %s
"""
_DATABASE_CLOCK: Final = "SELECT now()"
_WITH_EXPOSURE: Final = "operational_info_with_exposure_sampling_rate"
_WITHOUT_EXPOSURE: Final = "operational_info_without_exposure_sampling_rate"
_PLATFORMS: Final = ("android", "ios")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshing:
    """What the figures are made from, and where they go.

    Attributes:
        pool: Connections of the jobs' own role, to the services' database.
        open_analytics: Opens connections of the Analytics Service's role to its database.
        territory: What can be a province.
        settings: What may be shown.
    """

    pool: Pool
    open_analytics: PoolOpener
    territory: Territory
    settings: InsightsSettings

    async def days_over(self, now: datetime) -> date:
        """Return the first day of which something may still come.

        A day is over by our clock and by the database's: one that is ahead must not close a day in
        which phones still report. What waits in the outbox is waited for, though not for ever.
        """
        async with self.pool.connection() as connection:
            row = await (await connection.execute(_DATABASE_CLOCK)).fetchone()
            earlier = min(now, row[0]) if row else now
            today = (earlier - _GRACE).astimezone(UTC).date()
            waiting = await (await connection.execute(_WAITING, [today - _PATIENCE])).fetchone()
        return min(today, waiting[0]) if waiting and waiting[0] else today

    async def refresh(self, *, before: date) -> int:
        """Count and close every day before one; return how many were closed.

        While another one refreshes, nothing is done.
        """
        async with (
            self.open_analytics() as analytics,
            exclusive(analytics, _REFRESH_LOCK) as held,
        ):
            if held is None:
                return 0
            for day in await uncounted_days(analytics, before=before):
                await count_day(analytics, day, await self._elsewhere(day))
            return await self._close_days(analytics)

    async def _close_days(self, analytics: Pool) -> int:
        async with analytics.connection() as connection:
            days = await days_to_close(connection)
        for month, of_month in groupby(days, first_of_month):
            async with analytics.connection() as connection:
                counts = await load_counts(connection, month)
                ledger = await load_ledger(connection, month)
            for day in of_month:
                await self._close(analytics, ledger, counts.until(day))
        return len(days)

    async def _close(self, analytics: Pool, ledger: Ledger, counts: MonthCounts) -> None:
        day = counts.days[-1]
        month = first_of_month(day)
        ledger.new.clear()
        # Seconds at the end of a month, in which other jobs and the heartbeat go on.
        await asyncio.to_thread(
            close_day,
            ledger,
            counts,
            territory=self.territory,
            k_anonymity=self.settings.k_anonymity,
        )
        ledger.enter(
            TableName(Subject.CHUNKS, Span.DAY, Breakdown.NOTHING, day), await self._chunks(day)
        )
        async with analytics.connection() as connection:
            await keep_tables(connection, [(name, ledger.tables[name]) for name in ledger.new])
            if ends_period(day):
                rates = await load_rates(connection, month)
                await keep_rates(connection, month, effective_rates(ledger, counts.days, rates))
            # The month before is kept, for open data.
            await forget_counts(connection, before=month_before(month))

    async def _elsewhere(self, day: date) -> DayElsewhere:
        noon = datetime.combine(day, time(12), UTC)
        async with self.pool.connection() as connection:
            codes = {row[0]: row[1] async for row in await connection.execute(_CODES, [day])}
            return DayElsewhere(codes, await _rates_at(connection, noon))

    async def _chunks(self, day: date) -> Figures:
        async with self.pool.connection() as connection:
            row = await (await connection.execute(_CHUNKS, [day])).fetchone()
        chunks, keys, size_bytes = row or (0, 0, 0)
        if not chunks:
            # Chunks go after two weeks: of a day that is closed late nobody knows any more.
            return {("chunks",): None, ("keys",): None, ("bytes",): None}
        return {("chunks",): chunks, ("keys",): keys, ("bytes",): size_bytes}


async def _rates_at(connection: AsyncConnection[TupleRow], moment: datetime) -> list[RateFrom]:
    """Return the sampling rates in force: of each platform, from each build on that has its own."""
    values: dict[tuple[str, str], dict[int, float | None]] = {}
    async for platform, build, name, value, withdrawn in await connection.execute(_RATES, [moment]):
        values.setdefault((platform, name), {})[build] = None if withdrawn else float(value)
    return [
        RateFrom(
            platform,
            build,
            _value(values.get((platform, _WITH_EXPOSURE), {}), build, _WITH_EXPOSURE),
            _value(values.get((platform, _WITHOUT_EXPOSURE), {}), build, _WITHOUT_EXPOSURE),
        )
        for platform in _PLATFORMS
        for build in sorted({1, *(each for key in values for each in values[key])})
    ]


def _value(values: Mapping[int, float | None], build: int, name: str) -> float:
    """Return a setting's value for a build; phones have a default where there is none."""
    fitting = [each for each in values if each <= build]
    value = values[max(fitting)] if fitting else None
    default: float = getattr(ConfigurationSettings(), name)
    return default if value is None else value
