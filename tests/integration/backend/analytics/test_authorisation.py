"""Tokens are authorised by way of a real database and the stand-in for Apple over real HTTP."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from immuni.backend.analytics.devicecheck import store
from immuni.backend.analytics.devicecheck.answers import Bits, DeviceState
from immuni.backend.analytics.devicecheck.settings import DeviceCheckSettings
from immuni.backend.analytics.devicecheck.steps import Next, Outcome, Step
from immuni.backend.analytics.devicecheck.store import claim, end, proceed, purge_authorisations
from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase
from immuni.testing.apple import Fault, Mischief, When
from tests.integration.backend.analytics.authorising import (
    NOON,
    QUICK,
    SETTINGS,
    THIS_MONTH,
    NearBy,
    a_desk,
    a_token,
    until,
)

pytestmark = pytest.mark.anyio

CLEARED, BLACKLISTED = (False, False), (True, True)
IMPATIENT: Final = replace(QUICK, timeout=timedelta(seconds=3))


async def test_a_genuine_phone_gets_its_token_once_a_month_and_keeps_it_into_the_next(
    analytics_database: AnalyticsDatabase,
) -> None:
    clock = ManualClock(NOON)
    async with a_desk(analytics_database, clock=clock) as desk:
        assert await desk.ask(1) == [False]
        await desk.all_ended()

        assert await desk.ask(1, 2) == [True, False]
        assert desk.bits(1) == CLEARED
        rows = await desk.select("SELECT month, token_hash FROM analytics.token")
        assert [month for month, _ in rows] == [THIS_MONTH]
        assert a_token(1).analytics_token.encode() not in rows[0][1]
        await desk.all_ended()

        for day, is_valid in ((date(2020, 7, 31), True), (date(2020, 8, 1), False)):
            clock.set(datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
            assert (await desk.ask(1))[0] is is_valid
        await desk.all_ended()


async def test_the_same_device_gets_no_second_token_in_its_month(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with a_desk(analytics_database) as desk:
        await desk.ask(1)
        await desk.all_ended()
        again = a_token(2, device=a_token(1).device_token)
        assert await desk.tokens([again]) == [False]
        await desk.all_ended()
        assert await desk.tokens([again]) == [False]
        await desk.all_ended()

        assert desk.bits(1) == CLEARED
        assert desk.outcomes() == {"authorised": 1, "already_used": 2}


async def test_asking_again_while_it_runs_starts_nothing_more(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with a_desk(analytics_database) as desk:
        asked = await asyncio.gather(*(desk.ask(1) for _ in range(20)))
        assert asked == [[False]] * 20
        assert len(await desk.rows()) == 1
        await desk.all_ended()
        assert desk.outcomes() == {"authorised": 1}


async def test_a_device_that_apple_does_not_know_is_refused_and_nothing_of_it_stays(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with a_desk(analytics_database) as desk:
        forged = a_token(1, device=b"nobody's")
        assert await desk.tokens([forged]) == [False]
        await desk.all_ended()
        assert desk.outcomes() == {"not_genuine": 1}
        assert await desk.select("SELECT FROM analytics.token") == []


async def test_a_mark_made_by_another_request_blacklists_the_device(
    analytics_database: AnalyticsDatabase,
) -> None:
    waits = replace(QUICK, max_read_time=timedelta(seconds=4))
    async with a_desk(analytics_database, waits=waits) as desk:
        await desk.ask(1)
        await until(desk.rows, lambda rows: rows == [(Step.SECOND_LOOK, 0)])
        desk.apple.server.devices.update("phone-1", bit0=True, bit1=False, today=NOON.date())
        await desk.all_ended()

        assert desk.bits(1) == BLACKLISTED
        assert desk.outcomes() == {"blacklisted": 1}


async def test_failures_are_tried_again_until_it_is_well(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with a_desk(analytics_database, waits=IMPATIENT) as desk:
        desk.apple.server.faults.add(
            [
                Fault(mischief=Mischief.FAIL, status=503, device="phone-1", number=1),
                Fault(mischief=Mischief.GARBAGE, device="phone-2", number=2),
                Fault(mischief=Mischief.DROP, device="phone-3", number=4),
                Fault(mischief=Mischief.HANG, when=When.AFTER, device="phone-4", number=5),
                Fault(mischief=Mischief.FAIL, status=429, device="phone-5", number=3),
            ]
        )
        await desk.ask(1, 2, 3, 4, 5)
        await desk.all_ended()

        assert await desk.ask(1, 2, 3, 4, 5) == [True] * 5
        assert {desk.bits(number) for number in range(1, 6)} == {CLEARED}


async def test_a_mark_whose_answer_was_lost_is_taken_back_and_nobody_blamed(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with a_desk(analytics_database, waits=IMPATIENT) as desk:
        desk.apple.server.faults.add(
            [
                Fault(mischief=Mischief.DROP, when=When.AFTER, device="phone-1", number=3),
                Fault(mischief=Mischief.HANG, when=When.AFTER, device="phone-2", number=3),
            ]
        )
        await desk.ask(1, 2)
        await desk.all_ended()

        assert desk.outcomes() == {"undone": 2}
        assert desk.bits(1) == desk.bits(2) == CLEARED


async def test_what_keeps_failing_is_given_up(analytics_database: AnalyticsDatabase) -> None:
    async with a_desk(analytics_database, runners=0) as desk:
        await desk.ask(1)
        await desk.change("UPDATE analytics.authorisation SET failures = 7")
    async with a_desk(analytics_database) as desk:
        desk.apple.server.faults.add([Fault(mischief=Mischief.FAIL, status=401)])
        await desk.all_ended()
        assert desk.outcomes() == {"gave_up": 1}


async def test_the_last_minutes_of_a_month_start_nothing(
    analytics_database: AnalyticsDatabase,
) -> None:
    end_of_june = datetime(2020, 6, 30, 23, 58, tzinfo=UTC)
    async with a_desk(analytics_database, clock=ManualClock(end_of_june), runners=0) as desk:
        assert await desk.ask(1) == [False]
        assert await desk.rows() == []


async def test_no_more_run_than_may_whoever_asks_at_once(
    analytics_database: AnalyticsDatabase,
) -> None:
    settings = replace(SETTINGS, max_authorisations=50)
    async with a_desk(analytics_database, settings=settings, runners=0) as desk:
        groups = [range(start, start + 10) for start in range(0, 200, 10)]
        answers = await asyncio.gather(*(desk.ask(*group) for group in groups))
        assert answers == [[False] * 10] * 20
        assert len(await desk.rows()) == 50


async def test_a_group_waits_for_one_that_fills_the_room_before_it(
    analytics_database: AnalyticsDatabase,
) -> None:
    settings = replace(SETTINGS, max_authorisations=1)
    async with a_desk(analytics_database, settings=settings, runners=0) as desk:
        async with desk.owner.connection() as before:
            await before.execute("SELECT pg_advisory_xact_lock(%s)", [store._START_LOCK])
            await before.execute(
                "INSERT INTO analytics.authorisation VALUES (sha256(''), '', 'check', 0, now())"
            )
            asked = asyncio.create_task(desk.ask(1))
            # Without the lock it would have counted by now, and found room.
            await asyncio.wait([asked], timeout=1)
            assert not asked.done()
        assert await asked == [False]
        assert len(await desk.rows()) == 1


async def test_without_a_key_nothing_is_started(analytics_database: AnalyticsDatabase) -> None:
    async with a_desk(analytics_database, settings=DeviceCheckSettings(), runners=0) as desk:
        assert await desk.ask(1) == [False]
        assert await desk.rows() == []


async def test_two_thousand_wait_at_once_and_one_worker_serves_them_all(
    analytics_database: AnalyticsDatabase,
) -> None:
    phones = range(2000)
    apple = NearBy(DeviceState(Bits.IN_PROGRESS, THIS_MONTH))
    async with a_desk(analytics_database, runners=0) as desk:
        await desk.ask(*phones)
        # All of them were marked, and wait for their check.
        await desk.change(
            "UPDATE analytics.authorisation SET step = 'check', due_at = now() + interval '3 s'"
        )
    async with a_desk(analytics_database, device_check=apple) as desk:
        await until(desk.select_due, lambda due: due > 0)
        # Some for the sixteen calls and the connections, none for each that waits.
        assert len(asyncio.all_tasks()) < 100
        await desk.all_ended()

        assert await desk.ask(*phones) == [True] * 2000
        assert 1 < apple.most_at_work <= 16


async def test_several_processes_share_the_work_and_none_does_it_twice(
    analytics_database: AnalyticsDatabase,
) -> None:
    phones = range(40)
    async with a_desk(analytics_database, runners=3, calls=4) as desk:
        await desk.ask(*phones)
        await desk.all_ended()
        assert await desk.ask(*phones) == [True] * 40
        # Five calls each: two looks, a mark, a check, a clearing.
        assert set(desk.apple.server.calls.values()) == {5}


async def test_whoever_has_lost_its_lease_changes_nothing(
    analytics_database: AnalyticsDatabase,
) -> None:
    at_once = timedelta(0)
    async with (
        a_desk(analytics_database, runners=0) as desk,
        open_pool(analytics_database.analytics, max_size=1) as pool,
    ):
        await desk.ask(1)
        (slow,) = await claim(pool, limit=10, lease=at_once)
        (quick,) = await claim(pool, limit=10, lease=timedelta(minutes=1))
        assert await claim(pool, limit=10, lease=at_once) == []

        later = Next(replace(slow.progress, step=Step.BLACKLIST))
        assert not await proceed(pool, slow, later)
        assert not await proceed(pool, slow, replace(later, wait=at_once))
        assert not await end(pool, slow, Outcome.AUTHORISED)
        assert not await end(pool, slow, Outcome.GAVE_UP)
        assert await desk.rows() == [(Step.FIRST_LOOK, 0)]
        assert await desk.ask(1) == [False]

        assert await end(pool, quick, Outcome.AUTHORISED)
        assert await desk.ask(1) == [True]


async def test_what_nobody_works_on_is_purged_after_its_day(
    analytics_database: AnalyticsDatabase,
) -> None:
    async with a_desk(analytics_database, runners=0) as desk:
        await desk.ask(*range(1500))
        async with open_pool(analytics_database.analytics, max_size=1) as pool:
            assert await purge_authorisations(pool, before=NOON.date()) == 0
            assert await purge_authorisations(pool, before=date.max) == 1500
        assert await desk.rows() == []
