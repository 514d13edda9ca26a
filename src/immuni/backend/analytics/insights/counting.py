"""Counting the rows of days that are over, once each, in the database itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.analytics.insights.periods import days_between
from immuni.database import Pool

_FIRST_UNCOUNTED: Final = """
    SELECT coalesce(
        (SELECT max(day) + 1 FROM analytics.counted_day),
        least((SELECT min(received_on) FROM analytics.operational_info),
              (SELECT min(received_on) FROM analytics.epidemiological_info)))
"""
_CLAIM: Final = """
    INSERT INTO analytics.counted_day (day) VALUES (%s) ON CONFLICT DO NOTHING RETURNING day
"""
_COUNT_REPORTS: Final = """
    INSERT INTO analytics.report_count (day, province, platform, build, kind, reports)
    SELECT received_on, province, platform, build,
           CASE WHEN exposure_notification THEN 'notified'
                WHEN exposure_permission AND bluetooth_active AND notification_permission
                THEN 'healthy' ELSE 'impaired' END AS kind,
           count(*)
    FROM analytics.operational_info WHERE received_on = %s
    GROUP BY received_on, province, platform, build, kind
"""
_COUNT_NOTIFIED: Final = """
    INSERT INTO analytics.notified_count (day, province, last_risky_on, reports)
    SELECT received_on, province, last_risky_exposure_on, count(*)
    FROM analytics.operational_info WHERE received_on = %s AND exposure_notification
    GROUP BY received_on, province, last_risky_exposure_on
"""
# A phone asks its framework for the single exposures only when it warns.
_COUNT_UPLOADS: Final = """
    INSERT INTO analytics.upload_count (day, province, onset, exposure, uploads)
    SELECT received_on, province, onset,
           CASE WHEN jsonb_path_exists(summaries, '$[*].exposure_info[*]') THEN 'warned'
                WHEN jsonb_path_exists(summaries, '$[*] ? (@.matched_key_count > 0)')
                THEN 'matched' ELSE 'nothing' END AS exposure,
           count(*)
    FROM analytics.epidemiological_info WHERE received_on = %s
    GROUP BY received_on, province, onset, exposure
"""
_KEEP_CODES: Final = "INSERT INTO analytics.code_count (day, name, codes) VALUES (%s, %s, %s)"
_KEEP_RATE: Final = """
    INSERT INTO analytics.sampling_rate
        (day, platform, starting_build, with_exposure, without_exposure)
    VALUES (%s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class RateFrom:
    """The sampling rates of a platform from a build on, as they were in force on a day."""

    platform: str
    starting_build: int
    with_exposure: float
    without_exposure: float


@dataclass(frozen=True, slots=True)
class DayElsewhere:
    """What the services' database knows of a day.

    Attributes:
        codes: Its counters, by name.
        rates: What phones drew against.
    """

    codes: Mapping[str, int]
    rates: Sequence[RateFrom]


async def uncounted_days(pool: Pool, *, before: date) -> list[date]:
    """Return the days that are over and not counted, from the first on of which there are rows."""
    async with pool.connection() as connection:
        row = await (await connection.execute(_FIRST_UNCOUNTED)).fetchone()
    first = row[0] if row else None
    return [] if first is None else days_between(first, before - timedelta(days=1))


async def count_day(pool: Pool, day: date, elsewhere: DayElsewhere) -> bool:
    """Count the rows of a day, unless that was done; tell whether this did it.

    All in one transaction: a day is counted wholly, or not at all.
    """
    async with pool.connection() as connection:
        if await (await connection.execute(_CLAIM, [day])).fetchone() is None:
            return False
        for statement in (_COUNT_REPORTS, _COUNT_NOTIFIED, _COUNT_UPLOADS):
            await connection.execute(statement, [day])
        await _keep_elsewhere(connection, day, elsewhere)
    return True


async def _keep_elsewhere(
    connection: AsyncConnection[TupleRow], day: date, elsewhere: DayElsewhere
) -> None:
    async with connection.cursor() as cursor:
        counted = [(day, name, count) for name, count in elsewhere.codes.items() if count]
        await cursor.executemany(_KEEP_CODES, counted)
        await cursor.executemany(
            _KEEP_RATE,
            [
                (day, each.platform, each.starting_build, each.with_exposure, each.without_exposure)
                for each in elsewhere.rates
            ],
        )
