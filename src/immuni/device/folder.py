"""The folder in which a device keeps everything."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from immuni.device.private_folder import DataFolderError, ensure_private
from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.framework import (
    Salvaged,
    Soundness,
    Store,
    StoreLockedError,
    begin_anew,
    examine,
    key_store_for,
    salvage,
)

_LONGEST_SOCKET_NAME: Final = 107
"""Bytes; the kernel's limit."""


class NotDamagedError(ImmuniError, ValueError):
    """There is nothing to repair; nothing was changed."""


@dataclass(frozen=True, slots=True)
class DeviceFolder:
    """Where a device's database, its key and its socket lie.

    Attributes:
        path: The folder; only its owner may enter it.
    """

    path: Path

    @property
    def socket(self) -> Path:
        """Where the App finds the daemon."""
        return self.path / "device.sock"

    @property
    def database(self) -> Path:
        """What the device remembers, encrypted."""
        return self.path / "framework.db"

    @property
    def key(self) -> Path:
        """The database's key, where the platform has no key store."""
        return self.path / "framework.key"

    def prepare(self) -> None:
        """Make the folder where it is missing; one that is there is only looked at.

        Raises:
            DataFolderError: It cannot be made, others may enter it, or its path is too long.
        """
        if len(os.fsencode(self.socket.absolute())) > _LONGEST_SOCKET_NAME:
            raise DataFolderError(
                f"{self.path} cannot be the data folder: the path of a socket in it has more than "
                f"{_LONGEST_SOCKET_NAME} bytes"
            )
        ensure_private(self.path)

    def open_store(self, entropy: Entropy) -> Store:
        """Open the device's database, or make it.

        Raises:
            DataFolderError: The folder cannot be used.
            StoreError: The database cannot be opened; `repair` may help.
        """
        self.prepare()
        return Store(self.database, key_store_for(self.key), entropy)

    def repair(self, *, now: datetime, give_up_locked: bool) -> Salvaged:
        """Save what can still be read of a damaged database.

        Args:
            now: The present time.
            give_up_locked: Also set a database aside that the key does not open.

        Raises:
            NotDamagedError: There is no database, or it is whole.
            StoreLockedError: The key does not open it; it stays where it is.
            StoreError: It is as it was.
        """
        if not self.database.exists():
            raise NotDamagedError(f"there is no database in {self.path}")
        key_store = key_store_for(self.key)
        match examine(self.database, key_store):
            case Soundness.SOUND:
                raise NotDamagedError("the database is not damaged; nothing was changed")
            case Soundness.DAMAGED:
                return salvage(self.database, key_store, now=now)
            case Soundness.LOCKED if give_up_locked:
                return begin_anew(self.database, now=now)
            case Soundness.LOCKED:
                raise StoreLockedError(
                    "the key does not open the database, or its first page is damaged: bring the "
                    "key back, or give up what the database holds with --begin-anew"
                )
