"""A way out of a damaged database: a new one, with all that can still be read of the old one."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final, cast

from immuni.framework.store.encrypted_database import (
    CorruptStoreError,
    EncryptedDatabase,
    Row,
    SqlValue,
    StoreError,
    StoreLockedError,
)
from immuni.framework.store.key_store import KeyStore
from immuni.framework.store.scans import first_id
from immuni.framework.store.schema import PRESENT_VERSION, contents, upgrade, version_of
from immuni.framework.store.set_aside import delete_database, rescue_of, set_aside

_GRAIN: Final = timedelta(hours=1)
_OLDEST: Final = timedelta(days=15)
_NEWEST: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged database.

    Attributes:
        kept: How much of each kind the new database holds, as `Store.contents` says; empty where
            nothing could be read and the new one is yet to be made.
        damaged: The tables of which something is lost; all, where nothing could be read.
        set_aside: Where the damaged database lies now.
    """

    kept: Mapping[str, int]
    damaged: frozenset[str]
    set_aside: Path


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, and how it is searched for what is left: by its first column, its key.

    Attributes:
        name: Of the table.
        key: Its first column, in the order of which its rows lie.
        keys: Between which values all keys lie.
        per_second: How much the key grows in a second, where it tells the time; else 0.
    """

    name: str
    key: str
    keys: tuple[int, int] | tuple[str, str] | tuple[bytes, bytes] = (0, 2**62)
    per_second: int = 0


_COMMON: Final = (
    _Table("tek", "id"),
    _Table("broadcast", "id"),
    _Table("detection", "id"),
    _Table("exposure", "detection_id"),
    _Table("fact", "name", keys=("", "\U0010ffff")),
)
_OF_VERSION_2: Final = (
    _Table("tag_key", "id"),
    _Table("scan", "id", per_second=first_id(1)),
)
_TABLES: Final = {
    1: (*_COMMON, _Table("sighting", "seen_at", per_second=1)),
    2: (*_COMMON, *_OF_VERSION_2),
    3: (*_COMMON, _Table("revocation", "tag", keys=(b"", b"\xff" * 17)), *_OF_VERSION_2),
}
"""By version of the schema, what matters most first."""

# What is left of a pair of which the other half is lost.
_ORPHANS: Final = {
    "broadcast": "DELETE FROM broadcast WHERE tek_id NOT IN (SELECT id FROM tek)",
    "exposure": "DELETE FROM exposure WHERE detection_id NOT IN (SELECT id FROM detection)",
}


class Soundness(Enum):
    """In what state a database is found."""

    SOUND = "sound"
    DAMAGED = "damaged"
    LOCKED = "locked"
    """There is no key, or it opens nothing: another key, or a damaged first page."""


def examine(path: Path, key_store: KeyStore) -> Soundness:
    """Look into the framework's database, every page of it, and change nothing.

    Args:
        path: The database, which is there; nobody has it open.
        key_store: Holds its key.

    Raises:
        StoreInUseError: Somebody has it open.
        KeyStoreError: Nobody can tell whether there is a key.
    """
    key = key_store.load()
    if key is None:
        return Soundness.LOCKED
    try:
        with closing(EncryptedDatabase(path, key)) as database:
            is_sound = database.execute("PRAGMA integrity_check") == [("ok",)]
    except StoreLockedError:
        return Soundness.LOCKED
    except CorruptStoreError:
        return Soundness.DAMAGED
    return Soundness.SOUND if is_sound else Soundness.DAMAGED


def salvage(path: Path, key_store: KeyStore, *, now: datetime) -> Salvaged:
    """Make a new database of what can be read of a damaged one, and set that aside.

    Every page proves by its HMAC that it is as it was written: what is kept is right. A crash in
    the middle leaves the damaged database in its place.

    Args:
        path: The framework's database; nobody has it open.
        key_store: Holds its key, which becomes the new one's.
        now: The present time.

    Returns:
        What was kept. Where there is no key, or it opens nothing, that is nothing: the place is
        left empty, as by `begin_anew`.

    Raises:
        NewerStoreError: A later version of the program made it; that one can read it.
        StoreInUseError: Somebody has it open.
        StoreFullError: There is no room for a second one.
        KeyStoreError: Nobody can tell whether there is a key.
        StoreError: It is in its place, as it was.
    """
    key = key_store.load()
    if key is None or not path.exists():
        return begin_anew(path, now=now)
    rescue = rescue_of(path)
    try:
        with closing(EncryptedDatabase(path, key, damaged=True)) as old:
            version = version_of(old)
            with _discarded(rescue), closing(EncryptedDatabase(rescue, key)) as new:
                damaged = _copy(old, new, version, now)
                kept = contents(new)
                new.checkpoint()
            # What still stands in its log only goes with it.
            old.checkpoint()
    except (StoreLockedError, CorruptStoreError):
        # Its first page, without which there is no finding any other.
        delete_database(rescue)
        return begin_anew(path, now=now)
    return Salvaged(kept, damaged, set_aside(path, now, successor=rescue))


def begin_anew(path: Path, *, now: datetime) -> Salvaged:
    """Set a database aside of which nothing can be read; whoever opens the place next begins anew.

    For the App's database too.

    Raises:
        StoreError: It is still in its place.
    """
    everything = frozenset(table.name for table in _TABLES[PRESENT_VERSION])
    return Salvaged({}, everything, set_aside(path, now))


def _copy(
    old: EncryptedDatabase, new: EncryptedDatabase, version: int, now: datetime
) -> frozenset[str]:
    """Fill `new` from `old`, and return the tables of which something was lost."""
    upgrade(new, to=version)
    damaged = set()
    # Rows come in any order, and some twice; what belongs to nothing goes at the end.
    new.execute("PRAGMA foreign_keys = OFF")
    with new.transaction():
        for table in _TABLES.get(version, ()):
            reader = _Reader(old, table, now)
            ((columns,),) = new.execute("SELECT count(*) FROM pragma_table_info(?)", (table.name,))
            places = ", ".join("?" * cast("int", columns))
            new.execute_many(
                f"INSERT OR IGNORE INTO {table.name} VALUES ({places})",  # noqa: S608
                reader.rows(),
            )
            if not reader.is_whole:
                damaged.add(table.name)
        damaged |= _without_orphans(new) if version else set()
    upgrade(new)
    return frozenset(damaged)


def _without_orphans(new: EncryptedDatabase) -> set[str]:
    """Delete what belongs to a row that is lost, and return the tables in which there was any."""
    orphaned = set()
    for table, statement in _ORPHANS.items():
        changes = new.total_changes
        new.execute(statement)
        if new.total_changes > changes:
            orphaned.add(table)
    return orphaned


class _Reader:
    """Reads a table around its damaged places.

    Attributes:
        is_whole: No such place was met.

    Complexity:
        Some twenty queries for each damaged place among rows that are ordered by time.
    """

    def __init__(self, database: EncryptedDatabase, table: _Table, now: datetime) -> None:
        self._database = database
        self._table = table
        self._oldest = int((now - _OLDEST).timestamp()) * table.per_second
        self._newest = int((now + _NEWEST).timestamp()) * table.per_second
        self._grain = int(_GRAIN.total_seconds()) * table.per_second
        self.is_whole = True

    def rows(self) -> Iterator[Row]:
        """Yield every row that can be read, some of them twice."""
        yield from self._between(*self._table.keys)

    def _between(self, low: SqlValue, high: SqlValue) -> Iterator[Row]:
        """Yield rows from both ends, then from both halves of what the ends did not reach."""
        low, reached_the_end = yield from self._walk(low, high, "ASC")
        if reached_the_end:
            return
        self.is_whole = False
        high, _ = yield from self._walk(high, low, "DESC")
        if isinstance(low, int) and isinstance(high, int):
            low, high = max(low, self._oldest), min(high, self._newest)
            if high - low > self._grain:
                middle = (low + high) // 2
                yield from self._between(low, middle)
                yield from self._between(middle + 1, high)

    def _walk(
        self, begin: SqlValue, end: SqlValue, order: str
    ) -> Generator[Row, None, tuple[SqlValue, bool]]:
        """Yield rows until a damaged place; return the last key, and whether there was none."""
        name, key = self._table.name, self._table.key
        within = f"{key} BETWEEN min(?1, ?2) AND max(?1, ?2)"
        sql = f"SELECT * FROM {name} WHERE {within} ORDER BY {key} {order}"  # noqa: S608
        try:
            for row in self._database.rows(sql, (begin, end)):
                begin = row[0]
                yield row
        except StoreError:
            return begin, False
        return begin, True


@contextmanager
def _discarded(path: Path) -> Iterator[None]:
    """Begin without the file `path`, and leave none behind where what is inside fails."""
    delete_database(path)
    try:
        yield
    except BaseException:
        delete_database(path)
        raise
