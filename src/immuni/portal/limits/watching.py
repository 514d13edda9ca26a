"""What a supervisor or an administrator watches: warnings, and who is stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from psycopg.rows import TupleRow

from immuni.database import Pool
from immuni.portal.accounts.account import Account

_MOST: Final = 200
_WARNINGS: Final = """
    SELECT warning.id, warning.at, warning.kind, warning.scope, warning.subject_id,
        coalesce(account.user_name, organisation.name), warning.count, warning.busy,
        seer.user_name, coalesce(work_day.count, 0), coalesce(work_day.quota + work_day.extra, 0)
    FROM warning
    JOIN organisation ON organisation.id = warning.organisation_id
    LEFT JOIN operator_account AS account
        ON warning.scope = 'account' AND account.id = warning.subject_id
    LEFT JOIN operator_account AS seer ON seer.id = warning.seen_by
    LEFT JOIN work_day ON work_day.scope = warning.scope
        AND work_day.subject_id = warning.subject_id AND work_day.day = warning.day
        AND warning.day = %(today)s
    WHERE %(whole)s OR warning.organisation_id = %(own)s
    ORDER BY warning.seen_at IS NOT NULL, warning.at DESC
    LIMIT %(most)s
"""
_STOPS: Final = """
    SELECT stop.id, stop.scope, coalesce(account.user_name, organisation.name, ''), stop.reason,
        stop.by_authority, stop.stopped_at, stopper.user_name
    FROM stop
    JOIN operator_account AS stopper ON stopper.id = stop.stopped_by
    LEFT JOIN operator_account AS account
        ON stop.scope = 'account' AND account.id = stop.subject_id
    LEFT JOIN organisation
        ON stop.scope = 'organisation' AND organisation.id = stop.subject_id
    WHERE stop.released_at IS NULL AND (%(whole)s OR stop.scope = 'everything'
        OR account.organisation_id = %(own)s OR organisation.id = %(own)s)
    ORDER BY stop.stopped_at DESC
    LIMIT %(most)s
"""
_PEOPLE: Final = """
    SELECT account.id, account.user_name, organisation.name
    FROM operator_account AS account
    JOIN organisation ON organisation.id = account.organisation_id
    WHERE account.deactivated_at IS NULL AND account.role IN ('operator', 'supervisor')
        AND (%(whole)s OR organisation.id = %(own)s)
    ORDER BY organisation.name, account.user_name
"""
_ORGANISATIONS: Final = """
    SELECT id, name FROM organisation WHERE %(whole)s OR id = %(own)s ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something that a supervisor should look at.

    Attributes:
        at: When it was noticed first.
        kind: What.
        scope: Of an account or an organisation.
        subject_id: Which.
        name: What it is called.
        count: Codes at that moment; 0 where none was counted.
        busy: What a busy day held before.
        seen_by: Who has seen it; None while it waits.
        today: What today holds by now, where the warning is of today.
        quota: Of how many.
    """

    id: int
    at: datetime
    kind: str
    scope: str
    subject_id: int
    name: str
    count: int
    busy: int
    seen_by: str | None
    today: int
    quota: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A switch that is turned.

    Attributes:
        scope: Whom it stops.
        name: What they are called; empty for everything.
        reason: Why, as whoever turned it wrote.
        by_authority: Whether an administrator did.
        stopped_at: When.
        stopped_by: Who.
    """

    id: int
    scope: str
    name: str
    reason: str
    by_authority: bool
    stopped_at: datetime
    stopped_by: str


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything that one page shows.

    Attributes:
        warnings: Those that wait first, then the newest.
        stops: In force.
        people: Account id, name, organisation of those who may be stopped.
        organisations: Id and name.
    """

    warnings: Sequence[Noticed]
    stops: Sequence[Stop]
    people: Sequence[tuple[int, str, str]]
    organisations: Sequence[tuple[int, str]]


async def watched_by(pool: Pool, account: Account, *, today: date) -> Watched:
    """Return what an account looks after: its own organisation, or everything."""
    values = {
        "whole": account.role.whole_authority,
        "own": account.organisation_id,
        "today": today,
        "most": _MOST,
    }
    async with pool.connection() as connection:

        async def rows(query: str) -> list[TupleRow]:
            return await (await connection.execute(query, values)).fetchall()

        return Watched(
            warnings=[Noticed(*row) for row in await rows(_WARNINGS)],
            stops=[Stop(*row) for row in await rows(_STOPS)],
            people=await rows(_PEOPLE),
            organisations=await rows(_ORGANISATIONS),
        )
