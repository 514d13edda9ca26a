"""Where the key that opens the phone's database is kept."""

import os
import stat
from pathlib import Path
from typing import Final, Protocol

from immuni.errors import ImmuniError

STORE_KEY_LENGTH: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class ExposedKeyError(ImmuniError, PermissionError):
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
        """Return the key, or None when none was ever kept."""
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
        """
        if not self._path.exists():
            return None
        mode = stat.S_IMODE(self._path.stat().st_mode)
        if mode & _OTHERS:
            raise ExposedKeyError(f"the key file must have mode 0600, has {mode:04o}")
        return _checked(self._path.read_bytes())

    def save(self, key: bytes) -> None:
        """Write the key to the disk, all of it or nothing.

        Raises:
            InvalidStoreKeyError: `key` does not have 32 bytes; nothing was written.
        """
        _checked(key)
        unfinished = self._path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)

    def forget(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)


def _checked(key: bytes) -> bytes:
    if len(key) != STORE_KEY_LENGTH:
        raise InvalidStoreKeyError(f"the store's key has {STORE_KEY_LENGTH} bytes, got {len(key)}")
    return key
