"""Transactions of the services, locks of the jobs, and what a silent database means to a client."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow

from immuni.backend.errors import UnavailableError
from immuni.database import Pool

PoolOpener: TypeAlias = Callable[[], AbstractAsyncContextManager[Pool]]
"""Opens a pool for as long as its context lasts: for a database that may be away meanwhile."""


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """Open a transaction; it commits at the end of the block, an exception undoes it.

    Statements are sent without waiting for the ones before, until a result is asked for: an error
    of the last ones shows at the end of the block.

    Raises:
        UnavailableError: The database does not answer, or not in time. Where the connection was
            lost while committing, nobody knows whether it did: what a client sends again must be
            recognised.
    """
    try:
        async with pool.connection() as connection, connection.pipeline(), connection.transaction():
            yield connection
    except OperationalError as error:
        raise UnavailableError("the database does not answer") from error


@asynccontextmanager
async def single_statement(pool: Pool) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """Lend a connection for one statement, which is a transaction by itself.

    Raises:
        UnavailableError: The database does not answer, or not in time.
    """
    try:
        async with pool.connection() as connection, _autocommit(connection):
            yield connection
    except OperationalError as error:
        raise UnavailableError("the database does not answer") from error


async def require_answer(pool: Pool) -> None:
    """Make sure that the database answers.

    Raises:
        UnavailableError: It does not.
    """
    async with transaction(pool) as connection:
        await connection.execute("SELECT 1")


@asynccontextmanager
async def exclusive(pool: Pool, lock: int) -> AsyncIterator[AsyncConnection[TupleRow] | None]:
    """Lend a connection that nobody else has who asks for the same lock; None while somebody has.

    The connection commits each statement by itself, so that no transaction stands open while
    something slow is done elsewhere. PostgreSQL lets the lock go when the connection ends, in
    whatever way it ends; what its holder has not committed by then never will be.

    Args:
        pool: Connections to the server itself: a pooler of transactions cannot hold the lock.
        lock: Any number that belongs to this purpose alone.
    """
    async with pool.connection() as connection, _autocommit(connection):
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        row = await cursor.fetchone()
        if row != (True,):
            yield None
            return
        try:
            yield connection
        finally:
            # A broken connection has lost the lock already.
            if not connection.closed:
                await connection.execute("SELECT pg_advisory_unlock(%s)", [lock])


@asynccontextmanager
async def _autocommit(connection: AsyncConnection[TupleRow]) -> AsyncIterator[None]:
    """Give the connection back as it was, for the pool hands it out again."""
    await connection.set_autocommit(True)
    try:
        yield
    finally:
        if not connection.closed:
            await connection.set_autocommit(False)
