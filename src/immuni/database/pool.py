"""Bounded pools of connections."""

import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeAlias

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from immuni.database.errors import DatabaseUnreachableError

_IDLE_TRANSACTION: Final = "60s"

Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[TupleRow]]


@asynccontextmanager
async def open_pool(
    url: str,
    *,
    max_size: int = 10,
    acquire_timeout: timedelta = timedelta(seconds=5),
    statement_timeout: timedelta = timedelta(seconds=10),
    transaction_pooled: bool = False,
    name: str = "immuni",
) -> AsyncIterator[Pool]:
    """Open a pool of connections to `url`, and close it at the end.

    A block of ``async with pool.connection()`` is one transaction. Instants come back in UTC.

    Args:
        url: A ``postgresql://`` URL.
        max_size: Never more connections than this. Whoever finds none free waits; when a
            hundred times as many wait already, ``psycopg_pool.TooManyRequests`` is raised.
        acquire_timeout: How long one waits, before ``psycopg_pool.PoolTimeout`` is raised.
        statement_timeout: The server cancels statements that take longer. A transaction that
            stands idle for a minute loses its connection.
        transaction_pooled: Whether `url` leads through a pooler that hands out a server
            connection per transaction (pgbouncer). Then nothing may be kept in a connection:
            statements are not prepared, and the limits of the role hold instead of
            `statement_timeout`.
        name: What the connections are called in PostgreSQL's own views.

    Raises:
        DatabaseUnreachableError: The database does not answer, or refuses the login.
    """
    options = _pooled_options() if transaction_pooled else _session_options(statement_timeout)
    kwargs = {"application_name": name, "connect_timeout": 5, **options}
    # The pool itself retries in the background and keeps the reason to itself.
    await _probe(url, kwargs)
    pool: Pool = AsyncConnectionPool(
        url,
        kwargs=kwargs,
        min_size=1,
        max_size=max_size,
        timeout=acquire_timeout.total_seconds(),
        max_waiting=100 * max_size,
        # A server that was started again leaves dead connections behind: nobody gets one of them.
        check=_check_unless_silent,
        name=name,
        open=False,
    )
    # Opened within the block that closes it: the tasks of a pool whose opening is cancelled would
    # try to connect for minutes, and nothing could end before they do.
    try:
        await _open(pool)
        yield pool
    finally:
        await pool.close()


async def _check_unless_silent(connection: AsyncConnection[TupleRow]) -> None:
    """Make sure that the server has not ended a connection.

    A server that ends one says so, or its end of the socket closes: there is something to read.
    Where there is nothing, a question to the server for each loan would double what a short
    transaction costs.
    """
    # Not `select.select`, which knows the first 1024 descriptors only: a process has thousands.
    listening = select.poll()
    listening.register(connection.fileno(), select.POLLIN)
    if listening.poll(0):
        await AsyncConnectionPool.check_connection(connection)


async def _open(pool: Pool) -> None:
    try:
        await pool.open(wait=True, timeout=pool.timeout)
    except PoolTimeout as error:
        raise DatabaseUnreachableError(f"the database does not answer: {error}") from error


async def _probe(url: str, kwargs: dict[str, Any]) -> None:
    try:
        connection = await AsyncConnection.connect(url, **kwargs)
    except OperationalError as error:
        raise DatabaseUnreachableError(f"the database does not answer: {error}") from error
    await connection.close()


def _session_options(statement_timeout: timedelta) -> dict[str, Any]:
    milliseconds = int(statement_timeout.total_seconds() * 1000)
    return {
        "options": (
            f"-c statement_timeout={milliseconds} "
            f"-c idle_in_transaction_session_timeout={_IDLE_TRANSACTION} -c timezone=UTC"
        )
    }


def _pooled_options() -> dict[str, Any]:
    # A statement prepared in one server connection is unknown in the next, and a pooler refuses
    # start-up options that it does not know.
    return {"prepare_threshold": None}
