"""The tables of days, warnings and stops, in SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.portal.accounts.account import Account
from immuni.portal.limits.rules import LEARNS_FROM, Bounds, Limit, Scope, Warned, WorkDay

Connection: TypeAlias = AsyncConnection[TupleRow]

_KEPT_DAYS: Final = 92
_ADD: Final = """
    UPDATE work_day SET count = count + 1, hours[%(hour)s + 1] = hours[%(hour)s + 1] + 1
    WHERE scope = %(scope)s AND subject_id = %(subject)s AND day = %(day)s
    RETURNING count, hours[%(hour)s + 1], quota + extra, warn_above
"""
_BEGIN: Final = """
    INSERT INTO work_day (scope, subject_id, day, quota, warn_above)
    VALUES (%(scope)s, %(subject)s, %(day)s, %(quota)s, %(warn_above)s)
    ON CONFLICT DO NOTHING
"""
_TAKE_BACK: Final = """
    UPDATE work_day SET count = count - 1, hours[%(hour)s + 1] = hours[%(hour)s + 1] - 1
    WHERE scope = %(scope)s AND subject_id = %(subject)s AND day = %(day)s
        AND count > 0 AND hours[%(hour)s + 1] > 0
"""
_HISTORY: Final = """
    SELECT count, hours FROM work_day
    WHERE scope = %s AND subject_id = %s AND day < %s AND day >= %s AND count > 0
"""
_STOPS: Final = """
    SELECT scope FROM stop WHERE released_at IS NULL AND (
        scope = 'everything'
        OR scope = 'account' AND subject_id = %s
        OR scope = 'organisation' AND subject_id = %s
    )
"""
_PACE: Final = """
    SELECT at FROM audit_event
    WHERE account_id = %s AND action = 'authorisation' AND outcome = 'authorised' AND at > %s
    ORDER BY at DESC OFFSET %s LIMIT 1
"""
_WARN: Final = """
    INSERT INTO warning (at, day, kind, scope, subject_id, organisation_id, count, busy)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """A day and an hour where the operators work.

    Attributes:
        at: The instant.
        day: The day.
        hour: 0..23.
    """

    at: datetime
    day: date
    hour: int


@dataclass(frozen=True, slots=True)
class Worker:
    """An operator or an organisation, whose days are counted."""

    scope: Scope
    subject_id: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What a day holds, this code included.

    Attributes:
        count: So many.
        in_hour: So many of them in this hour.
        quota: Of so many at most, what was allowed for this day alone included.
        warn_above: Above this the supervisor is told.
    """

    count: int
    in_hour: int
    quota: int
    warn_above: int


def workers_of(account: Account) -> Sequence[Worker]:
    """Return who is counted when an account authorises, in the order in which rows are locked."""
    return (
        Worker(Scope.ACCOUNT, account.id),
        Worker(Scope.ORGANISATION, account.organisation_id),
    )


async def stopped_scopes(connection: Connection, account: Account) -> set[Scope]:
    """Return which switches stop an account."""
    cursor = await connection.execute(_STOPS, [account.id, account.organisation_id])
    return {Scope(scope) async for (scope,) in cursor}


async def history_of(connection: Connection, worker: Worker, day: date) -> list[WorkDay]:
    """Return the days before `day` that quotas learn from; those without a code are missing."""
    cursor = await connection.execute(
        _HISTORY, [worker.scope, worker.subject_id, day, day - LEARNS_FROM]
    )
    return [WorkDay(count, hours) async for count, hours in cursor]


async def add(connection: Connection, worker: Worker, moment: Moment) -> Counted | None:
    """Count one code, and keep the row until the transaction ends; None on a day's first."""
    cursor = await connection.execute(_ADD, _key(worker, moment))
    row = await cursor.fetchone()
    return Counted(*row) if row else None


async def begin_day(connection: Connection, worker: Worker, moment: Moment, bounds: Bounds) -> None:
    """Begin a day with its bounds, and forget what is older than a quarter of a year."""
    values = {**_key(worker, moment), "quota": bounds.quota, "warn_above": bounds.warn_above}
    await connection.execute(_BEGIN, values)
    await connection.execute(
        "DELETE FROM work_day WHERE scope = %s AND subject_id = %s AND day < %s::date - %s",
        [worker.scope, worker.subject_id, moment.day, _KEPT_DAYS],
    )
    await connection.execute(
        "DELETE FROM warning WHERE day < %s::date - %s", [moment.day, _KEPT_DAYS]
    )


async def take_back(connection: Connection, worker: Worker, moment: Moment) -> None:
    """Count one code less, because it was not authorised after all."""
    await connection.execute(_TAKE_BACK, _key(worker, moment))


async def nth_last_authorisation(
    connection: Connection, account: Account, count: int, *, since: datetime
) -> datetime | None:
    """Return when an account had the last but `count` - 1 code authorised, if after `since`."""
    cursor = await connection.execute(_PACE, [account.id, since, count - 1])
    row = await cursor.fetchone()
    at: datetime | None = row[0] if row else None
    return at


async def warn(
    connection: Connection,
    kind: Warned,
    worker: Worker,
    *,
    organisation_id: int,
    moment: Moment,
    count: int,
    busy: float,
) -> bool:
    """Keep a warning for the supervisor, once a day and kind; tell whether it is new."""
    cursor = await connection.execute(
        _WARN,
        [
            moment.at,
            moment.day,
            kind,
            worker.scope,
            worker.subject_id,
            organisation_id,
            count,
            round(busy),
        ],
    )
    return await cursor.fetchone() is not None


def _key(worker: Worker, moment: Moment) -> dict[str, object]:
    return {
        "scope": worker.scope,
        "subject": worker.subject_id,
        "day": moment.day,
        "hour": moment.hour,
    }


QUOTA_OF: Final = {Scope.ACCOUNT: Limit.QUOTA, Scope.ORGANISATION: Limit.ORGANISATION_QUOTA}
