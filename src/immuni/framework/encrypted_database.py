"""An SQLite file of which nothing can be read without its key."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from immuni.errors import ImmuniError

SqlValue = int | float | str | bytes | None
Row = tuple[SqlValue, ...]

_PAGE_SIZE: Final = 4096
_RESERVED_BYTES: Final = 80
_IV_BYTES: Final = 16
_SALT_BYTES: Final = 16
_WAL_HEADER_BYTES: Final = 32
_WAL_FRAME_HEADER_BYTES: Final = 24
_SQLCIPHER_VERSION: Final = 4


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

    def __init__(self, path: Path, key: bytes, *, secure_delete: bool = True) -> None:
        """Open the file, or create it, readable by its owner only.

        Args:
            path: The file; its folder must exist.
            key: 32 bytes, used as they are: a random key needs no stretching.
            secure_delete: Overwrite what is deleted. Off only to show what it is good for.

        Raises:
            StoreLockedError: The key is wrong, or the file is no such database.
            StoreInUseError: Another process has it open.
            StoreError: The file cannot be opened.
        """
        self._path = path
        self._key = key
        with typed_faults():
            path.touch(mode=0o600)
            self._connection = apsw.Connection(str(path))
            try:
                self._unlock(secure_delete=secure_delete)
            except apsw.Error:
                self._connection.close()
                raise

    def execute(self, sql: str, values: Sequence[SqlValue] = ()) -> list[Row]:
        """Run one statement and return its rows.

        Raises:
            StoreError: It failed and changed nothing.
        """
        with typed_faults():
            return list(self._connection.execute(sql, tuple(values)))

    def execute_many(self, sql: str, rows: Iterable[Sequence[SqlValue]]) -> None:
        """Run one statement for each of `rows`.

        Raises:
            StoreError: It failed; inside a transaction nothing of it stays.
        """
        with typed_faults():
            self._connection.executemany(sql, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all changes inside, or none of them."""
        with typed_faults(), self._connection:
            yield

    @property
    def total_changes(self) -> int:
        """Number of rows that were changed since the file was opened."""
        return self._connection.total_changes()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file and empty it, with the old pages in it."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def destroy(self) -> None:
        """Close, and delete the file and its log."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)

    def plain_pages(self) -> Iterator[bytes]:
        """Decrypt every page, also free ones and those that stand in the log, one by one.

        Layout:
            A page: ciphertext, 16 bytes initialisation vector, 64 bytes HMAC. On the first page
            the 16 bytes before the ciphertext are the salt. A frame of the log: 24 bytes header,
            then a page.
        """
        for number, page in enumerate(_chunks(self._path, 0, _PAGE_SIZE)):
            yield self._decrypted(page, first=number == 0)
        log = self._path.with_name(self._path.name + "-wal")
        frame_bytes = _WAL_FRAME_HEADER_BYTES + _PAGE_SIZE
        for frame in _chunks(log, _WAL_HEADER_BYTES, frame_bytes):
            first = int.from_bytes(frame[:4]) == 1
            yield self._decrypted(frame[_WAL_FRAME_HEADER_BYTES:], first=first)

    def _unlock(self, *, secure_delete: bool) -> None:
        connection = self._connection
        connection.pragma("cipher", "sqlcipher")
        connection.pragma("legacy", _SQLCIPHER_VERSION)
        connection.pragma("key", f"x'{self._key.hex()}'")
        # The first access: only now the key is tried.
        connection.pragma("user_version")
        # Two processes would broadcast two keys: the first keeps the file to itself.
        connection.pragma("locking_mode", "exclusive")
        connection.pragma("journal_mode", "wal")
        # A crash of the process loses nothing; one of the machine at most the last changes.
        connection.pragma("synchronous", "normal")
        connection.pragma("secure_delete", "on" if secure_delete else "off")

    def _decrypted(self, page: bytes, *, first: bool) -> bytes:
        ciphertext_end = _PAGE_SIZE - _RESERVED_BYTES
        ciphertext = page[_SALT_BYTES if first else 0 : ciphertext_end]
        iv = page[ciphertext_end : ciphertext_end + _IV_BYTES]
        decryptor = Cipher(algorithms.AES256(self._key), modes.CBC(iv)).decryptor()
        return decryptor.update(ciphertext) + decryptor.finalize()


@contextmanager
def typed_faults() -> Iterator[None]:
    """Turn faults of the database into errors of ours, without values in their messages."""
    try:
        yield
    except apsw.NotADBError as error:
        raise StoreLockedError("the database does not open with this key") from error
    except apsw.CorruptError as error:
        raise CorruptStoreError("the database is damaged") from error
    except apsw.BusyError as error:
        raise StoreInUseError("another process has the database open") from error
    except apsw.FullError as error:
        raise StoreFullError("the disk is full") from error
    except apsw.Error as error:
        raise StoreError(f"the database failed: {type(error).__name__}") from error


def _chunks(path: Path, offset: int, size: int) -> Iterator[bytes]:
    if not path.exists():
        return
    # Through SQLite's own files: whoever else opens and closes the file in this process would
    # release the locks that guard it.
    flags = [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0]
    file = apsw.VFSFile("unix", str(path), flags)
    try:
        for start in range(offset, file.xFileSize() - size + 1, size):
            yield file.xRead(size, start)
    finally:
        file.xClose()
