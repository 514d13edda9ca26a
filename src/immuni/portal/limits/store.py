"""The tables of days, warnings and stops, in SQL."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeAlias

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.portal.accounts.account import Account
from immuni.portal.limits.rules import LEARNS_FROM, Bounds, Scope, Warned, WorkDay

Connection: TypeAlias = AsyncConnection[TupleRow]

_KEPT_DAYS: Final = 92
# Accounts before organisations, each by its number: who locks in this order waits in no circle.
_LOCK: Final = """
    SELECT scope, subject_id, count, hours[%(hour)s + 1], quota + extra, warn_above FROM work_day
    WHERE day = %(day)s AND (
        scope = 'account' AND subject_id = ANY(%(accounts)s)
        OR scope = 'organisation' AND subject_id = ANY(%(organisations)s)
    )
    ORDER BY scope, subject_id FOR UPDATE
"""
_COUNT: Final = """
    UPDATE work_day
    SET count = count + codes, hours[%(hour)s + 1] = hours[%(hour)s + 1] + codes
    FROM unnest(%(scopes)s::text[], %(subjects)s::bigint[], %(codes)s::integer[])
        AS taken (scope, subject_id, codes)
    WHERE work_day.scope = taken.scope AND work_day.subject_id = taken.subject_id
        AND day = %(day)s
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
    SELECT scope, subject_id FROM stop WHERE released_at IS NULL AND (
        scope = 'everything'
        OR scope = 'account' AND subject_id = ANY(%s)
        OR scope = 'organisation' AND subject_id = ANY(%s)
    )
"""
_PACE: Final = """
    SELECT asked.account_id, (
        SELECT at FROM audit_event
        WHERE account_id = asked.account_id
            AND action = 'authorisation' AND outcome = 'authorised' AND at > %s
        ORDER BY at DESC OFFSET %s LIMIT 1
    )
    FROM unnest(%s::bigint[]) AS asked (account_id)
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


@dataclass(slots=True)
class DayLeft:
    """What a day holds, while places in it are taken.

    Attributes:
        count: So many codes.
        in_hour: So many of them in this hour.
        quota: Of so many at most, what was allowed for this day alone included.
        warn_above: Above this the supervisor is told.
        taken: So many are added now.
    """

    count: int
    in_hour: int
    quota: int
    warn_above: int
    taken: int = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be taken."""
        return self.count + self.taken >= self.quota

    @property
    def passes_warning(self) -> bool:
        """Whether what is taken now goes beyond what the supervisor is not told of."""
        return self.count <= self.warn_above < self.count + self.taken

    @property
    def begins_hour(self) -> bool:
        """Whether what is taken now is the first of this hour."""
        return self.in_hour == 0 < self.taken


Stops: TypeAlias = AbstractSet[tuple[Scope, int | None]]
"""Who is stopped: a scope, and which account or organisation."""


def workers_of(*accounts: Account) -> Sequence[Worker]:
    """Return who is counted when accounts authorise: each once, accounts before organisations."""
    return [
        *(Worker(Scope.ACCOUNT, id_) for id_ in sorted({each.id for each in accounts})),
        *(
            Worker(Scope.ORGANISATION, id_)
            for id_ in sorted({each.organisation_id for each in accounts})
        ),
    ]


async def stops_of(connection: Connection, accounts: Sequence[Account]) -> Stops:
    """Return which switches stop some accounts."""
    organisations = [each.organisation_id for each in accounts]
    cursor = await connection.execute(_STOPS, [[each.id for each in accounts], organisations])
    return {(Scope(scope), subject_id) async for scope, subject_id in cursor}


async def history_of(connection: Connection, worker: Worker, day: date) -> list[WorkDay]:
    """Return the days before `day` that quotas learn from; those without a code are missing."""
    cursor = await connection.execute(
        _HISTORY, [worker.scope, worker.subject_id, day, day - LEARNS_FROM]
    )
    return [WorkDay(count, hours) async for count, hours in cursor]


async def lock_days(
    connection: Connection, workers: Sequence[Worker], moment: Moment
) -> dict[Worker, DayLeft]:
    """Return the days that were begun, which nobody else changes until the transaction ends."""
    cursor = await connection.execute(
        _LOCK,
        {
            "day": moment.day,
            "hour": moment.hour,
            "accounts": [each.subject_id for each in workers if each.scope is Scope.ACCOUNT],
            "organisations": [
                each.subject_id for each in workers if each.scope is Scope.ORGANISATION
            ],
        },
    )
    return {Worker(Scope(row[0]), row[1]): DayLeft(*row[2:]) async for row in cursor}


async def count(connection: Connection, days: Mapping[Worker, DayLeft], moment: Moment) -> None:
    """Write down what was taken of days that are locked."""
    taken = {worker: day.taken for worker, day in days.items() if day.taken}
    if taken:
        await connection.execute(
            _COUNT,
            {
                "day": moment.day,
                "hour": moment.hour,
                "scopes": [each.scope for each in taken],
                "subjects": [each.subject_id for each in taken],
                "codes": list(taken.values()),
            },
        )


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


async def nth_last_authorisations(
    connection: Connection, accounts: Sequence[Account], count: int, *, since: datetime
) -> dict[int, datetime | None]:
    """Return when accounts had the last but `count` - 1 code authorised, if after `since`."""
    ids = [each.id for each in accounts]
    cursor = await connection.execute(_PACE, [since, count - 1, ids])
    return dict(await cursor.fetchall())


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
