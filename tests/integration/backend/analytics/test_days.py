"""The days of analytics: opened when the first row comes, shuffled, and dropped whole."""

import re
from datetime import UTC, date, datetime, time, timedelta

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from immuni.backend.analytics.accepting import Acceptance
from immuni.backend.analytics.days import open_day, purge, shuffle_operational
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

PARTITIONS = """
    SELECT relname FROM pg_class JOIN pg_inherits ON pg_class.oid = inhrelid
    WHERE inhparent = 'analytics.operational_info'::regclass ORDER BY 1
"""


def partitions(database: AnalyticsDatabase) -> list[str]:
    with psycopg.connect(database.owner) as owner:
        return [row[0] for row in owner.execute(PARTITIONS).fetchall()]


async def keep_on(pool: Pool, day: date, *, salt: int) -> None:
    acceptance = Acceptance(pool, ManualClock(datetime.combine(day, time(12), UTC)))
    assert await acceptance.accept([from_android(salt, day=day)]) == [True]


async def test_each_day_has_its_partition_and_is_dropped_with_it(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    for number in range(3):
        await keep_on(pool, DAY + timedelta(days=number), salt=number)
    names = [f"operational_info_202006{day}" for day in (20, 21, 22)]
    assert partitions(analytics_database) == names

    assert await purge(pool, before=DAY + timedelta(days=2), today=DAY) == 2

    assert partitions(analytics_database) == names[2:]
    assert count(analytics_database, "operational_info") == 1


async def test_a_day_that_was_dropped_is_opened_again(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    await keep_on(pool, DAY, salt=1)
    await purge(pool, before=date.max, today=DAY)

    await keep_on(pool, DAY, salt=2)

    assert count(analytics_database, "operational_info") == 1


async def test_the_login_of_the_service_makes_and_drops_days_and_nothing_else(pool: Pool) -> None:
    async with pool.connection() as connection:
        await open_day(connection, DAY)
    for statement in (
        "DROP TABLE analytics.operational_info_20200620",
        "SELECT * FROM analytics.operational_info_20200620",
        "TRUNCATE analytics.operational_info",
        "CREATE TABLE analytics.other (id integer)",
    ):
        with pytest.raises(InsufficientPrivilege):
            async with pool.connection() as connection:
                await connection.execute(statement)


async def test_salts_and_tokens_go_when_they_can_vouch_for_nothing_any_more(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1], day=date(2020, 5, 31))
    authorise(analytics_database, [2])
    await keep_on(pool, DAY, salt=1)

    await purge(pool, before=DAY, today=DAY + timedelta(days=1))
    assert count(analytics_database, "salt") == 1
    assert count(analytics_database, "token") == 2

    await purge(pool, before=DAY, today=DAY + timedelta(days=2))
    assert count(analytics_database, "salt") == 0

    await purge(pool, before=DAY, today=date(2020, 7, 1))
    assert count(analytics_database, "token") == 1
    await purge(pool, before=DAY, today=date(2020, 8, 1))
    assert count(analytics_database, "token") == 0


async def test_after_a_shuffle_all_reports_of_a_day_look_the_same(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    for salt in range(5):
        await keep_on(pool, DAY, salt=salt)

    assert await shuffle_operational(pool) == 1
    assert await shuffle_operational(pool) == 0

    with psycopg.connect(analytics_database.owner) as owner:
        rows = owner.execute(
            "SELECT count(*), count(DISTINCT xmin::text) FROM analytics.operational_info"
        ).fetchone()
    assert rows == (5, 1)


async def test_nothing_that_is_kept_has_a_sequence_or_a_time_finer_than_a_day(
    pool: Pool, analytics_database: AnalyticsDatabase
) -> None:
    authorise(analytics_database, [1])
    assert await Acceptance(pool, ManualClock(datetime.combine(DAY, time(12), UTC))).accept(
        [from_ios(1)]
    ) == [True]

    with psycopg.connect(analytics_database.owner) as owner:
        sequences = owner.execute(
            "SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relnamespace ="
            " 'analytics'::regnamespace"
        ).fetchone()
        types = owner.execute(
            # An authorisation that is running has its times; it is deleted at its end.
            "SELECT DISTINCT data_type FROM information_schema.columns"
            " WHERE table_schema = 'analytics' AND table_name <> 'authorisation'"
        ).fetchall()
    assert sequences == (0,)
    assert not any(re.search("time|serial", each) for (each,) in types)
