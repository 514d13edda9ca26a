"""Reading the trail: by filter, a page at a time or all of it, in SQL."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from immuni.portal.audit.events import Action

_BATCH: Final = 1000
_ENTRIES: Final = """
    SELECT event.id, event.at, event.account_id, account.user_name AS user,
        organisation.name AS organisation, event.action, event.outcome, event.subject,
        event.detail::text, event.key_id, encode(event.mac, 'hex') AS mac
    FROM audit_event AS event
    LEFT JOIN operator_account AS account ON account.id = event.account_id
    LEFT JOIN organisation ON organisation.id = account.organisation_id
    WHERE event.id > %(after)s AND event.id < %(before)s
        AND (%(since)s::timestamptz IS NULL OR event.at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR event.at < %(until)s)
        AND (%(action)s = '' OR event.action = %(action)s)
        AND (%(outcome)s = '' OR event.outcome = %(outcome)s)
        AND (%(user)s = '' OR account.user_name = %(user)s)
        AND (%(organisation_id)s = 0 OR account.organisation_id = %(organisation_id)s)
"""
_BACKWARDS: Final = _ENTRIES + " ORDER BY event.id DESC LIMIT %(count)s"
_FORWARDS: Final = _ENTRIES + " ORDER BY event.id LIMIT %(count)s"
_LAST_ID: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which events are wanted; what is empty leaves all.

    Attributes:
        since: From here on.
        until: Before this.
        action: Of one kind.
        outcome: With one outcome.
        user: Of one account, by its name.
        organisation_id: Of the accounts that are of one organisation today; 0 for all.
    """

    since: datetime | None = None
    until: datetime | None = None
    action: str = ""
    outcome: str = ""
    user: str = ""
    organisation_id: int = 0


EVERYTHING: Final = Filter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event as it is shown and exported.

    Attributes:
        user: The name of the account, as it is today.
        organisation: Where it works today.
        detail: JSON.
        mac: The code, in hexadecimal.
    """

    id: int
    at: datetime
    account_id: int | None
    user: str | None
    organisation: str | None
    action: str
    outcome: str
    subject: str
    detail: str
    key_id: str | None
    mac: str | None


async def entries_before(
    connection: AsyncConnection[TupleRow], wanted: Filter, *, before: int | None, count: int
) -> list[Entry]:
    """Return the last events before one, or of all, the newest first."""
    async with connection.cursor(row_factory=class_row(Entry)) as cursor:
        values = asdict(wanted) | {"after": 0, "before": before or _LAST_ID, "count": count}
        await cursor.execute(_BACKWARDS, values)
        return await cursor.fetchall()


async def entries_after(
    connection: AsyncConnection[TupleRow], wanted: Filter, *, after: int, count: int
) -> list[Entry]:
    """Return the first events after one, the newest first."""
    async with connection.cursor(row_factory=class_row(Entry)) as cursor:
        values = asdict(wanted) | {"after": after, "before": _LAST_ID, "count": count}
        await cursor.execute(_FORWARDS, values)
        return (await cursor.fetchall())[::-1]


async def all_entries(
    connection: AsyncConnection[TupleRow], wanted: Filter = EVERYTHING
) -> AsyncIterator[Entry]:
    """Yield all events that are wanted, the oldest first; few are in memory at a time."""
    async with connection.cursor(name="audit_export", row_factory=class_row(Entry)) as cursor:
        cursor.itersize = _BATCH
        values = asdict(wanted) | {"after": 0, "before": _LAST_ID, "count": None}
        await cursor.execute(_FORWARDS, values)
        async for entry in cursor:
            yield entry


async def last_reading(connection: AsyncConnection[TupleRow], account_id: int) -> datetime | None:
    """Return when an account last left the event of reading the trail."""
    cursor = await connection.execute(
        "SELECT max(at) FROM audit_event WHERE account_id = %s AND action = %s",
        [account_id, Action.AUDIT_READING],
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def organisations(connection: AsyncConnection[TupleRow]) -> list[tuple[int, str]]:
    """Return all organisations, by name."""
    cursor = await connection.execute("SELECT id, name FROM organisation ORDER BY name")
    return [(id_, name) for id_, name in await cursor.fetchall()]
