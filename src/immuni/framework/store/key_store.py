"""Where the key that opens the phone's database is kept."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.framework.store.encrypted_database import StoreLockedError, typed_file_faults

STORE_KEY_LENGTH: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyStoreError(ImmuniError, OSError):
    """The place of the key cannot be read or written; no key was made or lost."""


class ExposedKeyError(KeyStoreError, PermissionError):
    """The key file can be read by others; it was not used."""


class InvalidStoreKeyError(ImmuniError, ValueError):
    """What is kept as the key has not the length of one; the store was not opened."""


class KeyStore(Protocol):
    """A place that keeps one secret of 32 bytes for this phone alone."""

    @property
    def description(self) -> str:
        """What kind of place this is, for the status page."""
        ...

    def load(self) -> bytes | None:
        """Return the key, or None when none was ever kept.

        Raises:
            KeyStoreError: The place cannot be looked into, so nobody knows whether there is one.
        """
        ...

    def save(self, key: bytes) -> None:
        """Keep `key` durably, in place of a former one."""
        ...

    def forget(self) -> None:
        """Destroy the key; what it encrypted can never be read again."""
        ...


class FileKeyStore:
    """A file that only its owner can read: for machines without a secret service.

    Privacy:
        Whoever can read the owner's files can read the phone's database. The status says so.
    """

    def __init__(self, path: Path) -> None:
        """Keep the key in the file `path`; its folder must exist."""
        self._path = path

    @property
    def description(self) -> str:
        """What kind of place this is, for the status page."""
        return "a file that only its owner can read"

    def load(self) -> bytes | None:
        """Return the key, or None when there is no file.

        Raises:
            ExposedKeyError: Others can read the file.
            InvalidStoreKeyError: It does not hold 32 bytes.
            KeyStoreError: It cannot be read.
        """
        with _typed_faults():
            if not self._path.exists():
                return None
            mode = stat.S_IMODE(self._path.stat().st_mode)
            if mode & _OTHERS:
                raise ExposedKeyError(f"the key file must have mode 0600, has {mode:04o}")
            return checked_key(self._path.read_bytes())

    def save(self, key: bytes) -> None:
        """Write the key to the disk, all of it or nothing.

        Raises:
            InvalidStoreKeyError: `key` does not have 32 bytes; nothing was written.
            KeyStoreError: It could not be written; a former key stays.
        """
        checked_key(key)
        unfinished = self._path.with_suffix(".new")
        with _typed_faults():
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path)
            sync_folder(self._path.parent)

    def forget(self) -> None:
        """Delete the file.

        Raises:
            KeyStoreError: It is still there.
        """
        with _typed_faults():
            self._path.unlink(missing_ok=True)


def key_for(database: Path, key_store: KeyStore, entropy: Entropy) -> bytes:
    """Return the key of a database, made now where neither exists.

    Args:
        database: The file of the database.
        key_store: Keeps the key.
        entropy: Makes it.

    Raises:
        StoreLockedError: There is a database, but no key for it; none was made.
        KeyStoreError: Nobody can tell whether there is a key; none was made.
    """
    key = key_store.load()
    if key is None:
        # A new key would never open the old file, and the old key may come back.
        with typed_file_faults():
            is_there = database.exists() and database.stat().st_size > 0
        if is_there:
            raise StoreLockedError("there is a database, but no key for it")
        key = entropy.token(STORE_KEY_LENGTH)
        key_store.save(key)
    return key


def checked_key(key: bytes) -> bytes:
    """Return `key` as it is.

    Raises:
        InvalidStoreKeyError: It does not have 32 bytes.
    """
    if len(key) != STORE_KEY_LENGTH:
        raise InvalidStoreKeyError(f"the store's key has {STORE_KEY_LENGTH} bytes, got {len(key)}")
    return key


def sync_folder(folder: Path) -> None:
    """Have the disk know which files a folder holds: a crash of the machine forgets none."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _typed_faults() -> Iterator[None]:
    try:
        yield
    except ImmuniError:
        raise
    except OSError as error:
        raise KeyStoreError(f"the key file cannot be used: {error.strerror}") from error
