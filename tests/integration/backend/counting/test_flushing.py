"""Counts on their way into the database: regularly, at a stop, beside others, after failures."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import date, timedelta
from typing import Final

import psycopg
import pytest
from structlog.testing import capture_logs

from immuni.backend.counting import Counted, DailyCounters
from immuni.backend.errors import UnavailableError
from immuni.database import Pool, open_pool
from immuni.deployment.databases import ServicesDatabase
from tests.integration.backend.counting.counting_process import NOW

SOON: Final = timedelta(milliseconds=20)
NEVER: Final = timedelta(hours=1)
FLUSHES: Final = 150
WAITING: Final = """
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

pytestmark = pytest.mark.anyio


@pytest.fixture
async def pool(services_database: ServicesDatabase) -> AsyncIterator[Pool]:
    """Connect as ingestion, to a database that answers soon or not at all."""
    async with open_pool(
        services_database.ingestion, max_size=2, statement_timeout=timedelta(milliseconds=300)
    ) as opened:
        yield opened


def stored(database: ServicesDatabase) -> dict[tuple[date, str], int]:
    """Return all counters."""
    with psycopg.connect(database.owner) as connection:
        rows = connection.execute("SELECT day, name, count FROM ingestion.daily_counter")
        return {(day, name): count for day, name, count in rows}


async def until_stored(database: ServicesDatabase, expected: dict[tuple[date, str], int]) -> None:
    """Wait for a flush that nobody tells of."""
    async with asyncio.timeout(30):
        while stored(database) != expected:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)


def not_over() -> bool:
    return False


async def test_flushes_add_up_by_day_and_name(
    pool: Pool, services_database: ServicesDatabase
) -> None:
    counters, next_day = DailyCounters(), NOW + timedelta(hours=12)
    for instant in (NOW, NOW, next_day - timedelta(microseconds=1), next_day):
        counters.count(Counted.AUTHORISED, instant)
    counters.count(Counted.CHECKED, NOW, times=0)
    await counters.flush(pool)
    counters.count(Counted.AUTHORISED, NOW, times=5)
    counters.count(Counted.CHECKED, NOW)
    await counters.flush(pool)
    await counters.flush(pool)

    assert stored(services_database) == {
        (NOW.date(), "authorised"): 8,
        (NOW.date(), "checked"): 1,
        (next_day.date(), "authorised"): 1,
    }


async def test_processes_that_flush_at_once_add_up(services_database: ServicesDatabase) -> None:
    """The second is the OTP Service's login; what each counted last dies with it."""
    command = [sys.executable, "-m", "tests.integration.backend.counting.counting_process"]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen([*command, url, str(FLUSHES)], stdout=subprocess.PIPE)  # noqa: ASYNC220 - ours
            )
            for url in (services_database.ingestion, services_database.otp)
        ]
        for process in processes:
            # Whatever becomes of the test, none is waited for that was not killed.
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"flushed\n"

    assert stored(services_database) == {(NOW.date(), name): 2 * FLUSHES for name in Counted}


async def test_a_flush_takes_its_rows_in_one_order_so_that_none_waits_for_another(
    pool: Pool, services_database: ServicesDatabase
) -> None:
    counters = DailyCounters()
    for name in (Counted.AUTHORISED, Counted.CHECKED):
        counters.count(name, NOW)
    await counters.flush(pool)
    for name in (Counted.CHECKED, Counted.AUTHORISED):
        counters.count(name, NOW)
    lock = "SELECT FROM ingestion.daily_counter WHERE name = %s FOR UPDATE NOWAIT"
    with (
        psycopg.connect(services_database.owner) as first,
        psycopg.connect(services_database.owner, autocommit=True) as second,
    ):
        first.execute(lock, ["authorised"])
        async with open_pool(services_database.ingestion, max_size=1) as patient:
            flush = asyncio.create_task(counters.flush(patient))
            async with asyncio.timeout(30):
                while second.execute(WAITING).fetchone() is None:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0)

            second.execute(lock, ["checked"])
            first.rollback()
            await flush


async def test_a_flush_that_fails_keeps_its_counts_for_the_next(
    pool: Pool, services_database: ServicesDatabase
) -> None:
    counters = DailyCounters()
    counters.count(Counted.CHECKED, NOW, times=3)
    with psycopg.connect(services_database.owner) as connection:
        connection.execute("LOCK TABLE ingestion.daily_counter IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(UnavailableError):
            await counters.flush(pool)
    counters.count(Counted.CHECKED, NOW)
    await counters.flush(pool)

    assert stored(services_database) == {(NOW.date(), "checked"): 4}


async def test_counts_arrive_while_the_process_runs_and_an_outage_ends_nothing(
    pool: Pool, services_database: ServicesDatabase
) -> None:
    counters = DailyCounters()
    async with counters.flushed_to(pool, is_over=not_over, every=SOON):
        counters.count(Counted.CHECKED, NOW)
        await until_stored(services_database, {(NOW.date(), "checked"): 1})
        change(services_database, "REVOKE INSERT ON ingestion.daily_counter FROM immuni_ingestion")
        with capture_logs() as lines:
            counters.count(Counted.CHECKED, NOW)
            async with asyncio.timeout(30):
                while len(lines) < 2:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0)
        assert {(line["event"], line["kind"]) for line in lines} == {
            ("counting_interrupted", "InsufficientPrivilege")
        }
        change(services_database, "GRANT INSERT ON ingestion.daily_counter TO immuni_ingestion")
        await until_stored(services_database, {(NOW.date(), "checked"): 2})


def change(database: ServicesDatabase, statement: str) -> None:
    with psycopg.connect(database.owner) as connection:
        connection.execute(statement.encode())


async def test_an_orderly_stop_flushes(pool: Pool, services_database: ServicesDatabase) -> None:
    counters = DailyCounters()
    async with counters.flushed_to(pool, is_over=not_over, every=NEVER):
        counters.count(Counted.AUTHORISED, NOW)

    assert stored(services_database) == {(NOW.date(), "authorised"): 1}


async def test_a_stop_without_a_database_ends_all_the_same(
    pool: Pool, services_database: ServicesDatabase
) -> None:
    counters = DailyCounters()
    with psycopg.connect(services_database.owner) as connection:
        connection.execute("LOCK TABLE ingestion.daily_counter IN ACCESS EXCLUSIVE MODE")
        async with counters.flushed_to(pool, is_over=not_over, every=NEVER):
            counters.count(Counted.AUTHORISED, NOW)

    assert stored(services_database) == {}


async def test_after_the_services_end_nothing_is_added_to_what_was_deleted(
    pool: Pool, services_database: ServicesDatabase
) -> None:
    counters = DailyCounters()
    async with counters.flushed_to(pool, is_over=lambda: True, every=NEVER):
        counters.count(Counted.AUTHORISED, NOW)

    assert stored(services_database) == {}


async def test_a_counter_tells_no_time_but_its_day(services_database: ServicesDatabase) -> None:
    with psycopg.connect(services_database.owner) as connection:
        columns = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns"
            " WHERE table_name = 'daily_counter' ORDER BY ordinal_position"
        ).fetchall()

    assert columns == [("day", "date"), ("name", "text"), ("count", "bigint")]


def test_whoever_counts_can_neither_delete_nor_move_counts(
    services_database: ServicesDatabase,
) -> None:
    for url in (services_database.otp, services_database.ingestion):
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in (
                "DELETE FROM ingestion.daily_counter",
                "UPDATE ingestion.daily_counter SET day = now()",
                "UPDATE ingestion.daily_counter SET name = ''",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())
