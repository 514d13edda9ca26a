"""A lock on a folder that a process and its children hold, and the kernel lets go."""

import fcntl
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from immuni.errors import ImmuniError

_PATIENCE: Final = timedelta(seconds=30)
_POLL: Final = timedelta(milliseconds=20)


class FolderInUseError(ImmuniError, RuntimeError):
    """Another process uses the folder; nothing was touched."""


class FolderLock:
    """The right to use a folder, held through an open file.

    Children that inherit the file hold it too: the folder is free only when the last of them
    has ended, even when the process that took the lock was killed.
    """

    def __init__(self, path: Path) -> None:
        """Describe the lock kept in the file `path`; it is not taken yet."""
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, *, uid: int = -1, gid: int = -1) -> None:
        """Take the lock; when its holder is gone, wait until the holder's children have ended.

        Args:
            uid: The owner of the file; the caller by default.
            gid: The owner's group.

        Raises:
            FolderInUseError: A living process holds it, or the children do not end.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._wait(descriptor)
            os.fchown(descriptor, uid, gid)
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go of the lock; does nothing when it is not held."""
        if self._descriptor is not None:
            # Children may hold it for a moment more, but nobody who would not end.
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def fileno(self) -> int:
        """Return the open file, for children to inherit.

        Raises:
            ValueError: The lock is not held.
        """
        if self._descriptor is None:
            raise ValueError("the lock is not held")
        return self._descriptor

    def _wait(self, descriptor: int) -> None:
        deadline = time.monotonic() + _PATIENCE.total_seconds()
        while not _locked(descriptor):
            holder = os.pread(descriptor, 20, 0).decode()
            if _alive(holder) or time.monotonic() > deadline:
                name = holder or "that another one left behind"
                raise FolderInUseError(f"{self._path.parent} is in use by process {name}")
            time.sleep(_POLL.total_seconds())


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: str) -> bool:
    return bool(pid) and Path("/proc", pid).exists()
