"""The published sets of settings, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
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
_LOCK: Final = "LOCK TABLE configuration.version IN EXCLUSIVE MODE"
_NEXT: Final = "SELECT coalesce(max(number), 0) + 1 FROM configuration.version"
_INSERT_VERSION: Final = """
    INSERT INTO configuration.version (number, published_at, author, reason)
    VALUES (%s, %s, %s, %s)
"""
_INSERT_ENTRY: Final = """
    INSERT INTO configuration.entry (version, platform, name, starting_build, withdrawn, value)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_NEWEST: Final = "SELECT max(number) FROM configuration.version"
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


async def load_newest(connection: AsyncConnection[TupleRow]) -> SettingsSet:
    """Return the set in force, `UNPUBLISHED` where there is none."""
    cursor = await connection.execute(_NEWEST)
    row = await cursor.fetchone()
    if row is None or row[0] is None:
        return UNPUBLISHED
    version: int = row[0]
    cursor = await connection.execute(_ENTRIES, (version,))
    entries = [
        SettingEntry(Platform(platform), name, starting_build, value, withdrawn)
        async for platform, name, starting_build, value, withdrawn in cursor
    ]
    return SettingsSet(version, tuple(entries))


async def publish(
    connection: AsyncConnection[TupleRow],
    entries: Sequence[SettingEntry],
    *,
    author: str,
    reason: str,
    now: datetime,
) -> int:
    """Put a whole set in force, and tell the services.

    Args:
        connection: A connection of the database's owner: the service's own role only reads.
        entries: Everything that the set holds; nothing is taken over from the one before.
        author: Who publishes.
        reason: Why.
        now: When.

    Returns:
        The set's version.

    Raises:
        InvalidSettingsError: At least one entry is not allowed; nothing was written.
    """
    if faults := set_faults(entries):
        raise InvalidSettingsError(faults)
    async with connection.transaction():
        await connection.execute(_LOCK)
        row = await (await connection.execute(_NEXT)).fetchone()
        version: int = row[0] if row else 1
        await connection.execute(_INSERT_VERSION, (version, now, author, reason))
        async with connection.cursor() as cursor:
            await cursor.executemany(_INSERT_ENTRY, [_row(version, each) for each in entries])
        await connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
    return version


def _row(version: int, entry: SettingEntry) -> tuple[object, ...]:
    value = None if entry.withdrawn else Jsonb(entry.value)
    return version, entry.platform, entry.name, entry.starting_build, entry.withdrawn, value
