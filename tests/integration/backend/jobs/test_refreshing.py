"""Days that are over are counted and decided once, whatever happens in between."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege, RaiseException

from immuni.api import ExposureDetectionSummaryUpload, ExposureInfoUpload, Platform
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import publish
from immuni.backend.epidemiological import EpidemiologicalInfo, OnsetClass, seal_epidemiological
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.ingestion.store import IngestionStore
from immuni.backend.jobs import Parts, jobs, run_job
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.purging import purge, purge_everything
from immuni.backend.sealing import SealingKey
from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from tests.publishing import NOW, OTP_KEYS, Press, keep_upload, keys_of_days

JUNE: Final = [date(2020, 6, day) for day in range(1, 31)]
JULY_1: Final = date(2020, 7, 1)
DAY: Final = timedelta(days=1)
K: Final = 10
WITHOUT: Final = "operational_info_without_exposure_sampling_rate"
Figure = tuple[str, str, str, date, tuple[str, ...]]

pytestmark = pytest.mark.anyio


def rows(url: str, statement: LiteralString, values: Sequence[object] = ()) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement, values).fetchall()


def report(
    database: AnalyticsDatabase,
    day: date,
    count: int,
    *,
    province: str = "MI",
    platform: str = "ios",
    is_healthy: bool = True,
    is_notified: bool = False,
) -> None:
    """Have reports of one kind, as if phones had sent them on a day."""
    with psycopg.connect(database.owner) as owner:
        owner.execute("SELECT analytics.open_day(%s)", [day])
        owner.execute(
            """
            INSERT INTO analytics.operational_info
            SELECT %(day)s, %(platform)s, %(province)s, %(healthy)s, true, true, %(notified)s,
                   CASE WHEN %(notified)s THEN %(day)s::date - 3 END, 1
            FROM generate_series(1, %(count)s)
            """,
            {
                "day": day,
                "platform": platform,
                "province": province,
                "healthy": is_healthy,
                "notified": is_notified,
                "count": count,
            },
        )


def report_all_june(database: AnalyticsDatabase) -> None:
    """Have a June with a small day, a nearly empty province and two platforms."""
    for place, day in enumerate(JUNE):
        report(database, day, 30)
        report(database, day, 15, platform="android", is_healthy=False)
        report(database, day, 1 if place % 9 == 0 else 0, province="AO")
        report(database, day, 3 if place == 4 else 20, is_notified=True)
        report(database, day, 12, province="RM", is_notified=True)


def figures(url: str) -> Mapping[Figure, int | None]:
    """Return everything that is shown or withheld."""
    statement: LiteralString = (
        "SELECT subject, span, breakdown, since, cell, count FROM analytics.figure"
    )
    return {(*row[:4], tuple(row[4])): row[5] for row in rows(url, statement)}


def effective_rates(database: AnalyticsDatabase) -> dict[tuple[str, str], float]:
    statement: LiteralString = "SELECT subject, node, rate FROM analytics.effective_rate"
    return {(row[0], row[1]): row[2] for row in rows(database.dashboard, statement)}


async def refresh(parts: Parts, before: date = JULY_1) -> int:
    return await parts.refreshing.refresh(before=before)


async def test_reports_of_a_day_that_is_over_arrive_in_the_figures(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report(analytics_database, JUNE[0], 12, is_notified=True)
    report(analytics_database, JUNE[1], 30)

    assert await refresh(parts, JUNE[1]) == 1
    shown = figures(analytics_database.dashboard)

    assert shown["notified", "day", "nothing", JUNE[0], ("notified",)] == 12
    assert shown["active", "day", "nothing", JUNE[0], ("active",)] == 0
    assert not [figure for figure in shown if figure[3] == JUNE[1]]


async def test_one_phone_alone_is_not_shown(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report(analytics_database, JUNE[0], 1, is_notified=True)

    await refresh(parts, JUNE[1])

    shown = figures(analytics_database.dashboard)
    assert shown["notified", "day", "nothing", JUNE[0], ("notified",)] is None


async def test_a_month_closed_day_by_day_shows_what_one_closed_at_once_does(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report_all_june(analytics_database)
    await refresh(parts)
    at_once = figures(analytics_database.owner)
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute("""
            TRUNCATE analytics.release, analytics.counted_day, analytics.report_count,
                analytics.notified_count, analytics.sampling_rate CASCADE
        """)

    for day in JUNE:
        assert await refresh(parts, day + DAY) == 1

    assert figures(analytics_database.owner) == at_once
    assert ("notified", "month", "place", JUNE[0], ("all", "notified")) in at_once


async def test_no_small_count_is_kept_where_people_can_see_it(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report_all_june(analytics_database)
    await refresh(parts)

    shown = [count for figure, count in figures(analytics_database.dashboard).items()
             if figure[0] != "chunks"]  # fmt: skip

    assert not [count for count in shown if count is not None and 0 < count < K]
    assert None in shown
    for table in ("report_count", "notified_count", "upload_count", "operational_info"):
        with pytest.raises(InsufficientPrivilege):
            rows(analytics_database.dashboard, f"SELECT * FROM analytics.{table}")  # noqa: S608 - names of ours


async def test_what_comes_after_a_day_was_counted_changes_nothing(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report(analytics_database, JUNE[0], 12)
    await refresh(parts, JUNE[1])
    before = figures(analytics_database.owner)

    report(analytics_database, JUNE[0], 50)

    assert await refresh(parts, JUNE[1]) == 0
    assert figures(analytics_database.owner) == before


async def test_a_refresh_that_broke_off_goes_on_where_it_was(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report_all_june(analytics_database)
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute("""
            CREATE FUNCTION public.break_off() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE 'broken'; END $$;
            CREATE TRIGGER break_off AFTER INSERT ON analytics.figure FOR EACH ROW
            WHEN (new.since = '2020-06-12') EXECUTE FUNCTION public.break_off();
        """)
    with pytest.raises(RaiseException):
        await refresh(parts)
    half = figures(analytics_database.owner)
    assert {figure[3] for figure in half} == {*JUNE[:11]}
    with psycopg.connect(analytics_database.owner) as owner:
        owner.execute("DROP TRIGGER break_off ON analytics.figure")

    assert await refresh(parts) == 30 - 11

    whole = figures(analytics_database.owner)
    assert {figure: whole[figure] for figure in half} == half


async def test_of_two_refreshes_at_once_one_does_it_all(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    for day in JUNE[:5]:
        report(analytics_database, day, 12)

    closed = await asyncio.gather(*(refresh(parts, JUNE[5]) for _ in range(3)))

    assert sum(closed) == 5
    assert len(rows(analytics_database.owner, "SELECT FROM analytics.counted_day")) == 5


async def test_a_day_is_over_by_our_clock_and_by_that_of_the_database(parts: Parts) -> None:
    today = datetime.now(UTC).date()  # noqa: TID251 - the database has no other clock
    ahead = await parts.refreshing.days_over(datetime.combine(today, time(23), UTC) + 400 * DAY)

    assert ahead <= today
    # An hour is left for what was on its way.
    midnight = datetime(2020, 6, 20, tzinfo=UTC)
    assert await parts.refreshing.days_over(midnight + timedelta(minutes=59)) == JUNE[18]
    assert await parts.refreshing.days_over(midnight + timedelta(minutes=60)) == JUNE[19]


async def test_uploads_that_wait_in_the_outbox_are_waited_for_some_days(
    parts: Parts, services_database: ServicesDatabase, sealing_key: SealingKey
) -> None:
    await enclose(services_database, sealing_key, JUNE[14], infos=[uploaded()])

    def over(day: int) -> datetime:
        return datetime.combine(JUNE[day], time(2), UTC)

    assert await parts.refreshing.days_over(over(15)) == JUNE[14]
    assert await parts.refreshing.days_over(over(17)) == JUNE[14]
    assert await parts.refreshing.days_over(over(18)) == JUNE[18]


def uploaded(*summaries: ExposureDetectionSummaryUpload) -> EpidemiologicalInfo:
    return EpidemiologicalInfo(province="MI", onset=OnsetClass.DAYS_3_TO_5, summaries=summaries)


def summary(*, keys: int, infos: int) -> ExposureDetectionSummaryUpload:
    info = ExposureInfoUpload(
        date=JUNE[0],
        duration=900,
        attenuation_value=50,
        attenuation_durations=(900, 0, 0),
        transmission_risk_level=1,
        total_risk_score=25,
    )
    return ExposureDetectionSummaryUpload(
        date=JUNE[0],
        matched_key_count=keys,
        days_since_last_exposure=1,
        attenuation_durations=(900, 0, 0),
        maximum_risk_score=25,
        exposure_info=(info,) * infos,
    )


async def enclose(
    database: ServicesDatabase,
    key: SealingKey,
    day: date,
    infos: Sequence[EpidemiologicalInfo],
) -> None:
    """Put Epidemiological Info into the outbox, the way ingestion does."""
    async with (
        open_pool(database.ingestion, max_size=1) as pool,
        IngestionStore(pool, OTP_KEYS).transaction() as work,
    ):
        await work.enclose(seal_epidemiological(infos, key), received_on=day)


async def test_uploads_are_told_apart_by_what_their_phones_had_found(
    parts: Parts,
    services_database: ServicesDatabase,
    analytics_database: AnalyticsDatabase,
    sealing_key: SealingKey,
) -> None:
    warned = uploaded(summary(keys=0, infos=0), summary(keys=1, infos=2))
    infos = [warned] * 11 + [uploaded(summary(keys=1, infos=0))] * 12 + [uploaded()] * 13
    await enclose(services_database, sealing_key, JUNE[29], infos)
    await parts.outbox.move()
    with psycopg.connect(services_database.owner) as owner:
        for name, count in (("authorised", 80), ("checked", 60), ("delay:<30s", 36)):
            owner.execute(
                "INSERT INTO ingestion.daily_counter VALUES (%s, %s, %s)", [JUNE[29], name, count]
            )

    await refresh(parts)

    shown = figures(analytics_database.dashboard)
    assert {
        figure[4][0]: count
        for figure, count in shown.items()
        if figure[:3] == ("codes", "month", "exposure")
    } == {"warned": 11, "matched": 12, "nothing": 13, "all": 36}
    assert shown["codes", "month", "onset", JUNE[0], ("3-5", "uploaded")] == 36
    assert shown["codes", "month", "delay", JUNE[0], ("<30s", "uploaded")] == 36
    assert shown["codes", "month", "nothing", JUNE[0], ("authorised",)] == 80
    assert shown["codes", "month", "nothing", JUNE[0], ("unsent",)] == 24
    assert shown["codes", "month", "place", JUNE[0], ("Lombardia", "uploaded")] == 36


async def test_the_rate_of_a_day_is_the_one_that_was_published_by_then(
    parts: Parts, services_database: ServicesDatabase, analytics_database: AnalyticsDatabase
) -> None:
    async with await AsyncConnection.connect(services_database.owner) as connection:
        for day, rate in ((JUNE[9], 0.5), (JUNE[19], 0.1)):
            entries = [SettingEntry(Platform.IOS, WITHOUT, 1, rate)]
            now = datetime.combine(day, time(9), UTC)
            await publish(connection, entries, author="x", reason="x", now=now)
    for day in (JUNE[8], JUNE[9], JUNE[19]):
        report(analytics_database, day, 60)
    report(analytics_database, JUNE[19], 60, platform="android")

    await refresh(parts)

    rates = effective_rates(analytics_database)
    # Before anything was published, and on Android, phones have their default of 0.6.
    # Days are weighed by what is shown of both platforms together.
    assert rates["active", "ios"] == pytest.approx(240 / (60 / 0.6 + 60 / 0.5 + 120 / 0.1))
    assert rates["active", "android"] == pytest.approx(0.6)
    assert rates["active", "android 1"] == pytest.approx(0.6)


async def test_chunks_are_counted_by_the_day_of_their_windows(
    parts: Parts, press: Press, analytics_database: AnalyticsDatabase
) -> None:
    ill = Diagnosis(NOW.date() - timedelta(days=4), None)
    await keep_upload(press.database, keys_of_days(NOW.date() - DAY, days=3, seed="a"), ill)
    assert (await parts.publisher.publish()).figures()["chunks"] == 1
    report(analytics_database, JUNE[18], 12)

    await refresh(parts, JUNE[20])

    shown = figures(analytics_database.dashboard)
    assert shown["chunks", "day", "nothing", JUNE[19], ("chunks",)] == 1
    assert shown["chunks", "day", "nothing", JUNE[19], ("keys",)] == 3
    assert shown["chunks", "day", "nothing", JUNE[18], ("keys",)] is None


async def test_counts_go_with_the_month_after_and_figures_after_their_time(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report_all_june(analytics_database)
    counted: LiteralString = "SELECT DISTINCT day FROM analytics.report_count ORDER BY 1"

    await refresh(parts, date(2020, 8, 1))
    assert rows(analytics_database.owner, counted)[0] == (JUNE[0],)
    await refresh(parts, date(2020, 8, 2))
    assert rows(analytics_database.owner, counted) == []

    async def purged_on(day: date) -> None:
        now = datetime.combine(day, time(), UTC)
        settings = parts.retention
        await purge(parts.pool, parts.open_analytics, parts.chunks, settings=settings, now=now)

    await purged_on(date(2022, 6, 1))
    assert figures(analytics_database.owner)
    await purged_on(date(2022, 9, 1))
    assert not figures(analytics_database.owner)
    assert rows(analytics_database.owner, "SELECT day FROM analytics.counted_day") == [
        (date(2020, 8, 1),)
    ]


async def test_at_the_end_of_the_service_nothing_stays(
    parts: Parts, analytics_database: AnalyticsDatabase
) -> None:
    report_all_june(analytics_database)
    await refresh(parts)

    await purge_everything(parts.pool, parts.open_analytics, parts.chunks)

    for table in ("figure", "release", "effective_rate", "report_count", "counted_day"):
        assert not rows(analytics_database.owner, f"SELECT * FROM analytics.{table}")  # noqa: S608 - names of ours


async def test_the_job_refreshes_what_is_over_by_now(
    parts: Parts, analytics_database: AnalyticsDatabase, clock: ManualClock
) -> None:
    report(analytics_database, clock.now().date() - DAY, 12)
    report(analytics_database, clock.now().date(), 12)
    table = jobs(chunk_period=PublishingSettings().chunk_period)

    assert await run_job("refresh", table, parts) == {"days": 1}
    assert await run_job("refresh", table, parts) == {"days": 0}
