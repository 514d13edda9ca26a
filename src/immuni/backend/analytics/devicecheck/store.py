"""Running authorisations, in the analytics database.

The one table with times finer than a day, and with what a device is known by. A row lives for
seconds, and is deleted at its end, whatever that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from immuni.backend.analytics.devicecheck.steps import Next, Outcome, Progress, Step
from immuni.backend.analytics.rules import first_of_month, month_before
from immuni.backend.connections import single_statement, transaction
from immuni.database import Pool

# Any constant will do; it must differ from the other locks.
_START_LOCK: Final = 0x746F6B656E
_AUTHORISED: Final = """
    SELECT token_hash FROM analytics.token WHERE token_hash = ANY(%b) AND month = ANY(%s)
"""
_START: Final = """
    INSERT INTO analytics.authorisation (token_hash, device_token, step, started_on)
    SELECT token_hash, device_token, %s, %s
    FROM unnest(%b::bytea[], %b::bytea[]) AS new (token_hash, device_token)
    WHERE NOT EXISTS (
        SELECT FROM analytics.authorisation AS old WHERE old.token_hash = new.token_hash
    )
    LIMIT greatest(0, %s - (SELECT count(*) FROM analytics.authorisation))
"""
# A claim is a lease: the row is due again when its holder should long have been done with it.
_CLAIM: Final = """
    UPDATE analytics.authorisation SET
        claims = authorisation.claims + 1, due_at = clock_timestamp() + %s
    FROM (
        SELECT token_hash FROM analytics.authorisation WHERE due_at <= clock_timestamp()
        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE authorisation.token_hash = due.token_hash
    RETURNING authorisation.token_hash, device_token, claims, step, failures, started_on
"""
_NEXT_DUE: Final = "SELECT min(due_at) - clock_timestamp() FROM analytics.authorisation"
_COUNT: Final = "SELECT count(*) FROM analytics.authorisation"
_PROCEED: Final = """
    UPDATE analytics.authorisation SET step = %s, failures = %s, due_at = clock_timestamp() + %s
    WHERE token_hash = %b AND claims = %s
"""
_GO_ON: Final = """
    UPDATE analytics.authorisation SET step = %s WHERE token_hash = %b AND claims = %s
"""
_END: Final = "DELETE FROM analytics.authorisation WHERE token_hash = %b AND claims = %s"
_END_WELL: Final = """
    WITH ended AS (
        DELETE FROM analytics.authorisation WHERE token_hash = %b AND claims = %s
        RETURNING token_hash
    )
    INSERT INTO analytics.token (token_hash, month) SELECT token_hash, %s FROM ended
    ON CONFLICT DO NOTHING
"""
_ABANDONED: Final = """
    DELETE FROM analytics.authorisation WHERE token_hash = ANY(ARRAY(
        SELECT token_hash FROM analytics.authorisation WHERE started_on < %s LIMIT %s))
"""
_PURGED_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """An authorisation that is being worked on, until its lease is over.

    Attributes:
        token_hash: Names its row.
        device_token: Names the device to Apple.
        claim: Which of the row's claims this is; a later one ends it.
        progress: How far it has come.
    """

    token_hash: bytes = field(repr=False)
    device_token: bytes = field(repr=False)
    claim: int
    progress: Progress


async def authorised_or_started(
    pool: Pool, asked: Mapping[bytes, bytes], *, today: date, max_running: int | None
) -> set[bytes]:
    """Return which tokens are authorised, and start the authorisation of the others.

    One that runs goes on as it is; one that finds no room is not started.

    Args:
        pool: The analytics database.
        asked: Hash of each token, and the device token that came with it.
        today: The day in UTC.
        max_running: How many may run at once; None starts none.

    Raises:
        UnavailableError: The database does not answer.
    """
    month = first_of_month(today)
    async with transaction(pool) as connection:
        values = [list(asked), [month, month_before(month)]]
        cursor = await connection.execute(_AUTHORISED, values, prepare=False)
        authorised = {bytes(row[0]) for row in await cursor.fetchall()}
        new = [each for each in asked if each not in authorised]
        if new and max_running is not None:
            # Whoever counts has counted everything: no two groups fill the same room.
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [_START_LOCK])
            row = [Step.FIRST_LOOK, today, new, [asked[each] for each in new], max_running]
            await connection.execute(_START, row, prepare=False)
    return authorised


async def claim(pool: Pool, *, limit: int, lease: timedelta) -> Sequence[Held]:
    """Take over authorisations that are due; nobody else does for as long as the lease lasts.

    Raises:
        UnavailableError: The database does not answer.
    """
    async with single_statement(pool) as connection:
        cursor = await connection.execute(_CLAIM, [lease, limit])
        return [
            Held(
                bytes(token_hash),
                bytes(device_token),
                number,
                Progress(Step(step), failures, first_of_month(started_on)),
            )
            async for token_hash, device_token, number, step, failures, started_on in cursor
        ]


async def next_due(pool: Pool) -> timedelta | None:
    """Return in how long the next authorisation is due; None where none runs.

    Raises:
        UnavailableError: The database does not answer.
    """
    async with single_statement(pool) as connection:
        row = await (await connection.execute(_NEXT_DUE)).fetchone()
    return None if row is None else row[0]


async def count_running(pool: Pool) -> int:
    """Return how many authorisations run.

    Raises:
        UnavailableError: The database does not answer.
    """
    async with single_statement(pool) as connection:
        row = await (await connection.execute(_COUNT)).fetchone()
    return 0 if row is None else row[0]


async def proceed(pool: Pool, held: Held, move: Next) -> bool:
    """Store what comes next, durably; return False where somebody else has taken over.

    Where nothing is waited for, the lease goes on.

    Raises:
        UnavailableError: The database does not answer; nobody knows whether it was stored.
    """
    row = [held.token_hash, held.claim]
    async with single_statement(pool) as connection:
        if move.wait is None:
            cursor = await connection.execute(_GO_ON, [move.progress.step, *row])
        else:
            values = [move.progress.step, move.progress.failures, move.wait, *row]
            cursor = await connection.execute(_PROCEED, values)
    return cursor.rowcount == 1


async def end(pool: Pool, held: Held, outcome: Outcome) -> bool:
    """Delete an authorisation, and remember its token where it ended well.

    Returns:
        False where somebody else has taken over, and nothing was done.

    Raises:
        UnavailableError: The database does not answer; nobody knows whether it was done.
    """
    row = [held.token_hash, held.claim]
    async with single_statement(pool) as connection:
        if outcome is Outcome.AUTHORISED:
            cursor = await connection.execute(_END_WELL, [*row, held.progress.month])
        else:
            cursor = await connection.execute(_END, row)
    return cursor.rowcount == 1


async def purge_authorisations(pool: Pool, *, before: date) -> int:
    """Delete authorisations that began before a day and that nobody has worked on since."""
    total, piece = 0, _PURGED_AT_ONCE
    while piece == _PURGED_AT_ONCE:
        async with pool.connection() as connection:
            piece = (await connection.execute(_ABANDONED, [before, _PURGED_AT_ONCE])).rowcount
        total += piece
    return total
