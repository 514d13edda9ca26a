"""Operational Info in the analytics database, on the real PostgreSQL."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import psycopg
import pytest

from immuni.backend.analytics.accepting import Acceptance, Report
from immuni.clock import ManualClock
from immuni.database import Pool
from immuni.deployment.databases import AnalyticsDatabase
from tests.integration.backend.analytics.reports import (
    DAY,
    authorise,
    count,
    from_android,
    from_ios,
)

pytestmark = pytest.mark.anyio

JULY = date(2020, 7, 1)
NEXT_YEAR = date(2021, 6, 20)


def acceptance(pool: Pool, *, day: date = DAY) -> Acceptance:
    return Acceptance(pool, ManualClock(datetime.combine(day, time(12), UTC)))


async def test_what_is_kept_is_what_was_sent_and_nothing_of_what_vouched(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1])

    assert await acceptance(pool).accept([from_ios(1), from_android(2)]) == [True, True]

    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT * FROM analytics.operational_info ORDER BY platform"
        )
        rows = await cursor.fetchall()
    usual = ("CH", True, True, False, True, DAY, 7)
    assert rows == [(DAY, "android", *usual), (DAY, "ios", *usual)]


async def test_a_token_vouches_for_one_report_of_each_kind_in_its_month_and_in_the_next(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1])
    kept = {}
    for day in (date(2020, 5, 31), DAY, JULY, date(2020, 8, 1)):
        group = [from_ios(1, with_exposure=each, day=day) for each in (True, False, True, False)]
        kept[day.month] = await acceptance(pool, day=day).accept(group)

    assert kept == {
        5: [False] * 4,
        6: [True, True, False, False],
        7: [True, True, False, False],
        8: [False] * 4,
    }


async def test_months_of_different_years_are_different(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1])

    assert await acceptance(pool, day=NEXT_YEAR).accept([from_ios(1, day=NEXT_YEAR)]) == [False]


async def test_a_token_that_is_not_authorised_vouches_for_nothing(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1])

    assert await acceptance(pool).accept([from_ios(2), from_ios(1)]) == [False, True]
    assert count(analytics_database, "operational_info") == 1


async def test_an_attestation_vouches_once(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    accept = acceptance(pool).accept

    assert await accept([from_android(1), from_android(1), from_android(2)]) == [True, False, True]
    assert await accept([from_android(2), from_android(3)]) == [False, True]
    assert count(analytics_database, "operational_info") == 3


async def test_an_attestation_is_remembered_for_longer_than_it_is_believed(
    pool: Pool,
) -> None:
    before_midnight = acceptance(pool).accept
    assert await before_midnight([from_android(1)]) == [True]

    for hours in (-24, 12, 24):
        at = datetime.combine(DAY, time(12), UTC) + timedelta(hours=hours)
        later = Acceptance(pool, ManualClock(at))
        assert await later.accept([from_android(1, day=at.date())]) == [False]


async def test_however_many_come_at_once_each_token_and_each_salt_counts_once(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, range(10))
    accept = acceptance(pool).accept

    def group(turn: int) -> list[Report]:
        reports = [from_ios(each) for each in range(10)] + [from_android(i) for i in range(10)]
        # In another order each: whoever locked rows as they come would wait in a circle.
        return reports[turn:] + reports[:turn] if turn % 2 else reports[::-1]

    outcomes = await asyncio.gather(*(accept(group(turn)) for turn in range(20)))

    assert sum(map(sum, outcomes)) == 20
    assert count(analytics_database, "operational_info") == 20


async def test_what_vouched_for_a_report_that_was_not_kept_has_not_vouched(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1])
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute("ALTER TABLE analytics.operational_info ADD CONSTRAINT x CHECK (build <> 7)")

    with pytest.raises(psycopg.errors.CheckViolation):
        await acceptance(pool).accept([from_ios(1), from_android(1)])

    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute("ALTER TABLE analytics.operational_info DROP CONSTRAINT x")
    assert await acceptance(pool).accept([from_ios(1), from_android(1)]) == [True, True]
