"""An SQLite file of which nothing can be read without its key."""

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import apsw

from immuni.errors import ImmuniError
from immuni.framework.store.decrypted_pages import decrypted_pages

SqlValue = int | float | str | bytes | None
Row = tuple[SqlValue, ...]

_SQLCIPHER_VERSION: Final = 4
_CLEAN: Final = 0
_TRACES_LEFT: Final = 1
"""Stands in the header's field for applications from a deletion until its traces are removed."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StoreError(ImmuniError, OSError):
    """The phone's database cannot be read or written; the last change was not made."""


class StoreLockedError(StoreError):
    """The key does not open the database, or its first page is damaged; nothing was changed."""


class CorruptStoreError(StoreError):
    """The database is damaged; what was read before the damaged place is right."""


class StoreInUseError(StoreError):
    """Another process has the database open; nothing was changed."""


class StoreFullError(StoreError):
    """The disk is full; what is stored stays, the last change was not made."""


class EncryptedDatabase:
    """A connection to an SQLite file in the format of SQLCipher 4.

    Every page is encrypted with AES-256-CBC under an initialisation vector of its own and carries
    an HMAC-SHA-512, in the file and in its write-ahead log.
    """

    def __init__(
        self, path: Path, key: bytes, *, secure_delete: bool = True, damaged: bool = False
    ) -> None:
        """Open the file, or create it, readable by its owner only.

        Args:
            path: The file; its folder must exist.
            key: 32 bytes, used as they are: a random key needs no stretching.
            secure_delete: Overwrite what is deleted. Off only to show what it is good for.
            damaged: Open even a file that was cut off, to read what is left of it.

        Raises:
            StoreLockedError: The key is wrong, or the file is no such database.
            CorruptStoreError: It was cut off.
            StoreInUseError: Another process has it open.
            StoreError: The file cannot be opened.
        """
        self._path = path
        self._key = key
        self._rollbacks = 0
        self._secure_delete = secure_delete
        with typed_file_faults():
            path.touch(mode=0o600)
        try:
            self._connection = apsw.Connection(str(path))
        except apsw.Error as error:
            raise _typed(error, 0) from error
        try:
            with self._typed_faults():
                self._unlock(damaged=damaged)
            if not damaged:
                # A process that was killed after a deletion left this to the next. A full disk
                # or a damaged page must not keep anyone from reading, though.
                with suppress(StoreFullError, CorruptStoreError):
                    self.remove_traces()
        except StoreError:
            self._connection.close()
            raise

    def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Run one statement and return its rows.

        Raises:
            StoreError: It failed and changed nothing.
        """
        return list(self.rows(sql, values))

    def rows(self, sql: str, values: Sequence[SqlValue] = ()) -> Iterator[Row]:
        """Run one statement and yield its rows, those before a damaged place too.

        Raises:
            StoreError: It failed; the rows that were yielded are right.
        """
        with self._typed_faults():
            yield from self._connection.execute(sql, tuple(values))

    def execute_many(self, sql: str, rows: Iterable[Sequence[SqlValue]]) -> None:
        """Run one statement for each of `rows`.

        Raises:
            StoreError: It failed; inside a transaction nothing of it stays.
        """
        with self._typed_faults():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes inside, or none of them."""
        try:
            with self._typed_faults(), self._connection:
                yield
        except BaseException:
            self._rollbacks += 1
            raise

    @contextmanager
    def deletion(self) -> Iterator[None]:
        """Make all deletions inside, or none of them, and leave no bytes of what was deleted.

        Raises:
            StoreError: Nothing was deleted; or all, and traces of it are left until
                `remove_traces` succeeds.
        """
        with self.transaction():
            changes = self.total_changes
            yield
            if self.total_changes > changes:
                self.execute(f"PRAGMA application_id = {_TRACES_LEFT}")
        self.remove_traces()

    def remove_traces(self) -> None:
        """Write the file anew where something was deleted, and empty the log.

        To overwrite what is deleted is not enough: SQLite moves rows from page to page, and what
        stood where they came from stays, whatever becomes of them later.

        Raises:
            StoreError: Traces are left; nothing is lost.

        Complexity:
            Linear in the size of the database: about a second for a million sightings.
        """
        ((mark,),) = self.execute("PRAGMA application_id")
        if mark == _TRACES_LEFT and self._secure_delete:
            self.execute("VACUUM")
            self.checkpoint()
            self.execute(f"PRAGMA application_id = {_CLEAN}")
        self.checkpoint()

    @property
    def rollbacks(self) -> int:
        """Number of transactions that came to nothing since the file was opened."""
        return self._rollbacks

    @property
    def total_changes(self) -> int:
        """Number of rows that were changed since the file was opened."""
        return self._connection.total_changes()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and empty it, with the old pages in it.

        What was changed before is then on the disk, whatever happens to the machine.

        Raises:
            StoreError: Some of it stands in the log only; nothing is lost.
        """
        with self._typed_faults():
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def close(self) -> None:
        """Give the file back."""
        with self._typed_faults():
            self._connection.close()

    def destroy(self) -> None:
        """Close, and delete the file and its log.

        Raises:
            StoreError: Some file could not be deleted.
        """
        self.close()
        with typed_file_faults():
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def plain_pages(self) -> Iterator[bytes]:
        """Decrypt every page, also free ones and those that stand in the log, one by one."""
        with self._typed_faults():
            yield from decrypted_pages(self._path, self._key)

    def _unlock(self, *, damaged: bool) -> None:
        connection = self._connection
        # Else SQLite refuses a file that is shorter than its first page says.
        connection.config(apsw.SQLITE_DBCONFIG_WRITABLE_SCHEMA, int(damaged))
        connection.pragma("cipher", "sqlcipher")
        connection.pragma("legacy", _SQLCIPHER_VERSION)
        connection.pragma("key", f"x'{self._key.hex()}'")
        # Two processes would broadcast two keys: the first keeps the file to itself, from its first
        # look at it on.
        connection.pragma("locking_mode", "exclusive")
        # The first access: only now the key is tried.
        connection.pragma("user_version")
        connection.pragma("journal_mode", "wal")
        # A crash of the process loses nothing; one of the machine at most the last changes.
        connection.pragma("synchronous", "normal")
        connection.pragma("secure_delete", "on" if self._secure_delete else "off")
        # What SQLite puts by while it works must not lie on the disk.
        connection.pragma("temp_store", "memory")

    @contextmanager
    def _typed_faults(self) -> Iterator[None]:
        """Turn faults of the database into errors of ours, without values in their messages."""
        try:
            yield
        except apsw.ConnectionClosedError as error:
            raise StoreError("the database is closed") from error
        except apsw.Error as error:
            raise _typed(error, self._connection.system_errno) from error


@contextmanager
def typed_file_faults() -> Iterator[None]:
    """Turn faults of the file system into errors of ours, without paths in their messages."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StoreFullError("the disk is full") from error
        raise StoreError(f"the database's file cannot be used: {error.strerror}") from error


_FAULTS: Final = (
    (apsw.NotADBError, StoreLockedError, "the database does not open with this key"),
    (apsw.CorruptError, CorruptStoreError, "the database is damaged"),
    (apsw.BusyError, StoreInUseError, "another process has the database open"),
    (apsw.FullError, StoreFullError, "the disk is full"),
)


def _typed(error: apsw.Error, system_errno: int) -> StoreError:
    # SQLite counts only ENOSPC as a full disk: a quota or a limit of the file's size are as good.
    if isinstance(error, apsw.IOError | apsw.CantOpenError) and system_errno in _NO_ROOM:
        return StoreFullError("the disk is full")
    for theirs, ours, message in _FAULTS:
        if isinstance(error, theirs):
            return ours(message)
    return StoreError(f"the database failed: {type(error).__name__}")
