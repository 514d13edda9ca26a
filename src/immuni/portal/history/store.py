"""What was done, in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from immuni.database import Pool

_OWN: Final = """
    SELECT at, outcome, coalesce(detail->>'limit', '') FROM audit_event
    WHERE account_id = %s AND action = 'authorisation' AND at >= %s
    ORDER BY at DESC, id DESC LIMIT %s
"""
_DAYS: Final = """
    SELECT day, count FROM work_day
    WHERE scope = 'organisation' AND subject_id = %s AND day >= %s
"""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that an operator did with a code; which code, nobody knows any more.

    Attributes:
        at: When.
        outcome: What came of it.
        limit: Which limit was reached, where one was.
    """

    at: datetime
    outcome: str
    limit: str


class HistoryStore:
    """The trail and the counted days, read for people."""

    def __init__(self, pool: Pool) -> None:
        """Keep the pool; whoever opened it closes it."""
        self._pool = pool

    async def own_day(self, account_id: int, *, since: datetime, most: int) -> Sequence[Done]:
        """Return what an account did since its midnight, the newest first."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_OWN, [account_id, since, most])
            return [Done(*row) async for row in cursor]

    async def days_of(self, organisation_id: int, *, since: date) -> Mapping[date, int]:
        """Return how many codes an organisation authorised, by day; empty days are missing."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_DAYS, [organisation_id, since])
            return {day: count async for day, count in cursor}

    async def organisations(self) -> Sequence[tuple[int, str]]:
        """Return the ids and names of all organisations, by name."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT id, name FROM organisation ORDER BY name")
            return [(id_, name) async for id_, name in cursor]
