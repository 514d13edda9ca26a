"""The days of analytics: each has its partitions, which are opened, shuffled and dropped whole."""

from datetime import date, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier

from immuni.backend.analytics.rules import first_of_month, month_before
from immuni.database import Pool

_EPIDEMIOLOGICAL: Final = "epidemiological_info"
_OPERATIONAL: Final = "operational_info"
_SHUFFLE: Final = SQL("""
    WITH taken AS (DELETE FROM analytics.{table} WHERE received_on = ANY(%s) RETURNING *)
    INSERT INTO analytics.{table} SELECT * FROM taken ORDER BY gen_random_uuid()
""")
_UNSHUFFLED: Final = """
    SELECT received_on FROM analytics.operational_info
    GROUP BY received_on HAVING min(xmin::text) <> max(xmin::text)
"""
_RECENT: Final = """
    SELECT DISTINCT received_on FROM analytics.epidemiological_info WHERE received_on >= least(
        %s, (SELECT max(received_on) FROM analytics.epidemiological_info) - 1
    )
"""
_PURGED_AT_ONCE: Final = 1000
_PURGE_SALTS: Final = """
    DELETE FROM analytics.salt WHERE salt = ANY(ARRAY(
        SELECT salt FROM analytics.salt WHERE received_on < %s LIMIT %s))
"""
_PURGE_TOKENS: Final = """
    DELETE FROM analytics.token WHERE token_hash = ANY(ARRAY(
        SELECT token_hash FROM analytics.token WHERE month < %s LIMIT %s))
"""
SALTS_KEPT: Final = timedelta(days=1)
"""For how long after its day a salt is remembered. An attestation is believed for twenty minutes,
so this covers a server's clock that jumps by hours."""


async def open_day(connection: AsyncConnection[TupleRow], day: date) -> None:
    """Make sure that rows of a day have their place; harmless where they have."""
    await connection.execute("SELECT analytics.open_day(%s)", [day])


async def shuffle_epidemiological(pool: Pool, *, since: date) -> None:
    """Write the rows of the last two days, and of all days from `since` on, anew in random order.

    Privacy:
        Batches come hour by hour. Their rows' places and hidden columns would tell which hour each
        is of, and chunks tell of which hours their keys are. In one transaction all look the same.
    """
    async with pool.connection() as connection:
        cursor = await connection.execute(_RECENT, [since])
        days = [row[0] for row in await cursor.fetchall()]
        await connection.execute(_shuffle(_EPIDEMIOLOGICAL), [days])


async def shuffle_operational(pool: Pool) -> int:
    """Write the rows of each day that got new ones anew in random order; return how many days.

    Privacy:
        A report shares its transaction with what vouched for it, and with the few that came at the
        same time. Where all rows of a day have one transaction, nothing joins them to anything.
    """
    async with pool.connection() as connection:
        cursor = await connection.execute(_UNSHUFFLED)
        days = [row[0] for row in await cursor.fetchall()]
        if days:
            await connection.execute(_shuffle(_OPERATIONAL), [days])
    return len(days)


async def purge(pool: Pool, *, before: date, today: date) -> int:
    """Drop the days before one; return the number of rows that went.

    Tokens and salts that vouch for nothing any more go as well, piece by piece; they do not count.

    Args:
        pool: The analytics database.
        before: The first day that is kept.
        today: The day in UTC, by which tokens and salts are valid.
    """
    total = 0
    while (rows := await _drop_oldest_day(pool, before)) is not None:
        total += rows
    await _purge_pieces(pool, _PURGE_SALTS, today - SALTS_KEPT)
    await _purge_pieces(pool, _PURGE_TOKENS, month_before(first_of_month(today)))
    return total


async def _drop_oldest_day(pool: Pool, before: date) -> int | None:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT analytics.drop_oldest_day(%s)", [before])
        row = await cursor.fetchone()
    return None if row is None else row[0]


async def _purge_pieces(pool: Pool, statement: str, limit: date) -> None:
    piece = _PURGED_AT_ONCE
    while piece == _PURGED_AT_ONCE:
        async with pool.connection() as connection:
            piece = (await connection.execute(statement, [limit, _PURGED_AT_ONCE])).rowcount


def _shuffle(table: str) -> Composed:
    return _SHUFFLE.format(table=Identifier(table))
