"""The published sets of settings, in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from immuni.api import Platform
from immuni.backend.configuration.rules import (
    UNPUBLISHED,
    SettingEntry,
    SettingsSet,
    set_faults,
)
from immuni.errors import ImmuniError

CHANNEL: Final = "immuni_settings"
"""Notified when a set was published."""
# Any constant does; a lock on the table would take the right to change what was published.
_LOCK: Final = "SELECT pg_advisory_xact_lock(1936028777)"
_INSERT_VERSION: Final = """
    INSERT INTO configuration.version
        (number, published_at, author, reason, approver, request_id)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_INSERT_ENTRY: Final = """
    INSERT INTO configuration.entry (version, platform, name, starting_build, withdrawn, value)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_NEWEST: Final = "SELECT coalesce(max(number), 0) FROM configuration.version"
_KNOWN: Final = "SELECT FROM configuration.version WHERE number = %s"
_HISTORY: Final = """
    SELECT number, published_at, author, login, reason, (
        SELECT count(*) FROM configuration.entry WHERE version = number
    ), approver
    FROM configuration.version ORDER BY number DESC
"""
_REQUESTED: Final = """
    SELECT number, author, approver, reason FROM configuration.version WHERE request_id = %s
"""
_ENTRIES: Final = """
    SELECT platform, name, starting_build, value, withdrawn
    FROM configuration.entry WHERE version = %s
"""


class InvalidSettingsError(ImmuniError, ValueError):
    """A set may not be published; the one in force stays.

    Attributes:
        faults: What is wrong, one sentence each.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep all faults, so that they can be mended in one go."""
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class StaleDraftError(ImmuniError):
    """Somebody else published since a draft was begun; nothing was written."""


class UnknownVersionError(ImmuniError, LookupError):
    """No set of that version was ever published."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A second person stands behind a publication.

    Attributes:
        approver: Who, as they said; not the author.
        request_id: Tells a repeated request from a second one.
    """

    approver: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Publication:
    """Who published a set, when and why.

    Attributes:
        version: The set's version.
        published_at: When, by the database's clock.
        author: Who, as they said.
        login: The login of the database that wrote it.
        reason: Why.
        entry_count: How many values and withdrawals the set holds.
        approver: Who approved it, as they said; None where nobody had to.
    """

    version: int
    published_at: datetime
    author: str
    login: str
    reason: str
    entry_count: int
    approver: str | None = None


@dataclass(frozen=True, slots=True)
class Requested:
    """What a request has published already."""

    version: int
    author: str
    approver: str
    reason: str


async def load_newest(connection: AsyncConnection[TupleRow]) -> SettingsSet:
    """Return the set in force, `UNPUBLISHED` where there is none."""
    version = await _newest_version(connection)
    if version == 0:
        return UNPUBLISHED
    return await load_version(connection, version)


async def load_version(connection: AsyncConnection[TupleRow], version: int) -> SettingsSet:
    """Return a set that is or was in force.

    Raises:
        UnknownVersionError: There is none of that version.
    """
    if await (await connection.execute(_KNOWN, [version])).fetchone() is None:
        raise UnknownVersionError(f"no settings were published as version {version}")
    cursor = await connection.execute(_ENTRIES, [version])
    entries = [
        SettingEntry(Platform(platform), name, starting_build, value, withdrawn)
        async for platform, name, starting_build, value, withdrawn in cursor
    ]
    return SettingsSet(version, tuple(entries))


async def history(connection: AsyncConnection[TupleRow]) -> list[Publication]:
    """Return every publication, the newest first."""
    cursor = await connection.execute(_HISTORY)
    return [Publication(*row) async for row in cursor]


async def take_turns(connection: AsyncConnection[TupleRow]) -> None:
    """Let nobody else publish until the transaction ends."""
    await connection.execute(_LOCK)


async def requested(connection: AsyncConnection[TupleRow], request_id: str) -> Requested | None:
    """Return what a request has published already, None where it has not."""
    row = await (await connection.execute(_REQUESTED, [request_id])).fetchone()
    return Requested(*row) if row else None


async def server_time(connection: AsyncConnection[TupleRow]) -> datetime:
    """Return what time it is for the database: one clock for all who publish."""
    row = await (await connection.execute("SELECT now()")).fetchone()
    now: datetime = row[0] if row else datetime.min.replace(tzinfo=UTC)
    return now.astimezone(UTC)


async def publish(
    connection: AsyncConnection[TupleRow],
    entries: Sequence[SettingEntry],
    *,
    author: str,
    reason: str,
    now: datetime,
    based_on: int | None = None,
    approval: Approval | None = None,
) -> int:
    """Put a whole set in force, and tell the services.

    Args:
        connection: A connection of the database's owner or of ``immuni_settings_author``: the
            service's own role only reads.
        entries: Everything that the set holds; nothing is taken over from the one before.
        author: Who publishes.
        reason: Why.
        now: When.
        based_on: The version that the author had in view; None to publish over any.
        approval: Who else stands behind it; None where nobody has to.

    Returns:
        The set's version.

    Raises:
        InvalidSettingsError: At least one entry is not allowed; nothing was written.
        StaleDraftError: `based_on` is no longer in force; nothing was written.
    """
    if faults := set_faults(entries):
        raise InvalidSettingsError(faults)
    async with connection.transaction():
        await take_turns(connection)
        newest = await _newest_version(connection)
        if based_on not in {None, newest}:
            raise StaleDraftError(f"begun on version {based_on}, but version {newest} is in force")
        version = newest + 1
        second = (approval.approver, approval.request_id) if approval else (None, None)
        await connection.execute(_INSERT_VERSION, (version, now, author, reason, *second))
        async with connection.cursor() as cursor:
            await cursor.executemany(_INSERT_ENTRY, [_row(version, each) for each in entries])
        await connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    return version


async def _newest_version(connection: AsyncConnection[TupleRow]) -> int:
    row = await (await connection.execute(_NEWEST)).fetchone()
    return row[0] if row else 0


def _row(version: int, entry: SettingEntry) -> tuple[object, ...]:
    value = None if entry.withdrawn else Jsonb(entry.value)
    return version, entry.platform, entry.name, entry.starting_build, entry.withdrawn, value
