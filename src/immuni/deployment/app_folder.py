"""The folder in which the App of a Linux device keeps everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from immuni.app.pages.entrance import link_to
from immuni.deployment.folder_lock import FolderInUseError, FolderLock
from immuni.deployment.installation_secret import read_secret
from immuni.deployment.private_files import write_private
from immuni.device.private_folder import ensure_private
from immuni.errors import ImmuniError


class AppNotRunningError(ImmuniError, RuntimeError):
    """Nobody serves the App's pages out of this folder."""


@dataclass(frozen=True, slots=True)
class AppFolder:
    """Where the App's memory, its key and the secret of its pages lie.

    Attributes:
        path: The folder; only its owner may enter it.
    """

    path: Path

    @property
    def database(self) -> Path:
        """What the App remembers, encrypted."""
        return self.path / "app.db"

    @property
    def key(self) -> Path:
        """The database's key, where the platform has no key store."""
        return self.path / "app.key"

    @property
    def secret(self) -> Path:
        """What the pages are opened with."""
        return self.path / "app.secret"

    @property
    def _origin(self) -> Path:
        return self.path / "origin"

    @property
    def _lock(self) -> FolderLock:
        return FolderLock(self.path / "lock")

    def prepare(self) -> None:
        """Make the folder where it is missing; one that is there is only looked at.

        Raises:
            DataFolderError: It cannot be made, or others may enter it.
        """
        ensure_private(self.path)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Be the only App in this folder for as long as the context lasts.

        Raises:
            FolderInUseError: Another one runs.
        """
        lock = self._lock
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def served_at(self, origin: str) -> Iterator[None]:
        """Tell where the pages are, for as long as the context lasts."""
        write_private(self._origin, origin.encode())
        try:
            yield
        finally:
            self._origin.unlink(missing_ok=True)

    def link(self) -> str:
        """Return the link that opens the running App.

        Nobody is asked over the network: where the App does not run, another user's program might
        answer in its place, and would be told the secret.

        Raises:
            AppNotRunningError: It does not run.
        """
        secret = read_secret(self.secret)
        if secret is None or not self._is_used():
            raise AppNotRunningError(f"no App runs in {self.path}: immuni app run")
        return link_to(self._origin.read_text(), secret)

    def _is_used(self) -> bool:
        if not self._origin.exists():
            return False
        lock = self._lock
        try:
            lock.acquire()
        except FolderInUseError:
            return True
        lock.release()
        return False
