import asyncio
import os
import resource
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from immuni.database import DatabaseUnreachableError, open_pool
from immuni.deployment.databases import relocate

pytestmark = pytest.mark.anyio

FILES = 1100
"""More than the 1024 that select(2) knows."""


async def test_instants_come_back_in_utc(empty_database: str) -> None:
    instant = datetime(2020, 6, 1, 12, 30, tzinfo=UTC)

    async with open_pool(empty_database) as pool, pool.connection() as connection:
        cursor = await connection.execute("SELECT %s::timestamptz", [instant])
        row = await cursor.fetchone()

    assert row == (instant,)
    assert row[0].utcoffset() == timedelta(0)


async def test_a_block_is_one_transaction(empty_database: str) -> None:
    async with open_pool(empty_database) as pool:
        async with pool.connection() as connection:
            await connection.execute("CREATE TABLE kept (value int)")
        with pytest.raises(psycopg.errors.DivisionByZero):
            async with pool.connection() as connection:
                await connection.execute("INSERT INTO kept VALUES (1); SELECT 1 / 0")
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) FROM kept")
            assert await cursor.fetchone() == (0,)


async def test_a_statement_that_takes_too_long_is_cancelled(empty_database: str) -> None:
    limit = timedelta(milliseconds=50)

    async with open_pool(empty_database, statement_timeout=limit) as pool:
        with pytest.raises(psycopg.errors.QueryCanceled):
            async with pool.connection() as connection:
                await connection.execute("SELECT pg_sleep(60)")


async def test_whoever_finds_no_connection_free_is_told_in_time(empty_database: str) -> None:
    limit = timedelta(milliseconds=50)

    async with open_pool(empty_database, max_size=1) as pool, pool.connection():
        with pytest.raises(PoolTimeout):
            async with pool.connection(timeout=limit.total_seconds()):
                pass


async def test_a_process_with_thousands_of_open_files_still_gets_connections(
    empty_database: str,
) -> None:
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        with ExitStack() as stack:
            for _ in range(FILES):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            async with open_pool(empty_database) as pool, pool.connection() as connection:
                assert connection.fileno() > FILES
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


async def test_behind_a_pooler_nothing_is_kept_in_a_connection(empty_database: str) -> None:
    async with (
        open_pool(empty_database, transaction_pooled=True) as pool,
        pool.connection() as connection,
    ):
        for _ in range(10):
            await connection.execute("SELECT %s::int", [1])
        cursor = await connection.execute("SELECT count(*) FROM pg_prepared_statements")
        assert await cursor.fetchone() == (0,)


async def test_a_server_that_is_not_there_is_told_as_such() -> None:
    with pytest.raises(DatabaseUnreachableError, match="does not answer"):
        async with open_pool("postgresql://nobody@127.0.0.1:1/none"):
            pass


async def test_an_opening_that_is_cancelled_leaves_no_task_behind(empty_database: str) -> None:
    async def use() -> None:
        async with open_pool(empty_database):
            pass

    before = asyncio.all_tasks()
    using = asyncio.create_task(use())
    async with asyncio.timeout(30):
        while asyncio.all_tasks() <= before | {using}:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
    using.cancel()
    await asyncio.wait([using])

    assert using.cancelled()
    assert asyncio.all_tasks() == before


async def test_a_refused_login_is_told_as_such(empty_database: str) -> None:
    with pytest.raises(DatabaseUnreachableError, match="password authentication failed"):
        async with open_pool(relocate(empty_database, password="wrong")):
            pass


async def test_a_connection_that_the_server_ended_is_given_to_nobody(empty_database: str) -> None:
    async with open_pool(empty_database, max_size=1) as pool:
        async with pool.connection() as connection:
            pid = connection.info.backend_pid
        with psycopg.connect(empty_database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT 1")

            assert await cursor.fetchone() == (1,)
