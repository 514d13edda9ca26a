"""What a phone remembers, encrypted: its own keys, what it heard, what came of it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self, cast

from immuni.entropy import Entropy
from immuni.framework.store.encrypted_database import EncryptedDatabase
from immuni.framework.store.key_store import KeyStore, key_for
from immuni.framework.store.own_keys import OwnKeys
from immuni.framework.store.results import ResultLog
from immuni.framework.store.schema import contents, upgrade
from immuni.framework.store.set_aside import SET_ASIDE_LIFETIME, forget_set_aside
from immuni.framework.store.sightings import SightingLog
from immuni.keys import interval_at

RETENTION: Final = timedelta(days=14)


class Store:
    """The phone's database and its parts.

    Attributes:
        keys: The phone's own keys and its present broadcast.
        sightings: What it heard.
        results: What its detections found.

    Privacy:
        Encrypted with AES-256, the log included; what is deleted is overwritten.
    """

    keys: OwnKeys
    sightings: SightingLog
    results: ResultLog

    def __init__(
        self, path: Path, key_store: KeyStore, entropy: Entropy, *, secure_delete: bool = True
    ) -> None:
        """Open the database, or make it together with its key.

        Args:
            path: The file; its folder must exist.
            key_store: Keeps the key.
            entropy: Makes the key.
            secure_delete: Overwrite what is deleted. Off only to show what it is good for.

        Raises:
            StoreLockedError: The key is missing or wrong, or the file's beginning is damaged.
            CorruptStoreError: The file is damaged; `salvage` keeps what it can.
            KeyStoreError: The place of the key cannot be looked into; no key was made.
            StoreError: The file cannot be opened or upgraded.
        """
        self._path = path
        self._key_store = key_store
        self._entropy = entropy
        self._secure_delete = secure_delete
        self._open()

    @property
    def key_storage(self) -> str:
        """Where the key is kept, in words."""
        return self._key_store.description

    def fact(self, name: str) -> str | None:
        """Return a remembered fact about the phone itself."""
        rows = self._database.execute("SELECT value FROM fact WHERE name = ?", (name,))
        return cast("str", rows[0][0]) if rows else None

    def keep_fact(self, name: str, value: str) -> None:
        """Remember a fact about the phone itself, in place of a former one of that name."""
        self._database.execute(
            "INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)", (name, value)
        )

    def purge(self, now: datetime) -> None:
        """Delete what is more than 14 days old, so that its bytes are gone from the disk.

        Raises:
            StoreError: Something is still there, and is tried again with the next purge.
        """
        before = now - RETENTION
        with self._database.deletion():
            self.sightings.purge(before)
            self.keys.purge(interval_at(before))
            self.results.purge(before)
        forget_set_aside(self._path, now - SET_ASIDE_LIFETIME)

    def forget_after(self, instant: datetime) -> None:
        """Delete what a clock that ran ahead dated later than `instant`."""
        with self._database.deletion():
            self.sightings.forget_after(instant)
            self.keys.forget_after(interval_at(instant))
            self.results.forget_after(instant)

    def contents(self) -> dict[str, int]:
        """Return how much of each kind is stored."""
        return contents(self._database)

    def contains_bytes(self, needle: bytes) -> bool:
        """Tell whether `needle` stands anywhere in the decrypted pages.

        Free pages and the write-ahead log are searched too: this is how one proves that
        something is not, or no longer, there.
        """
        return any(needle in page for page in self._database.plain_pages())

    def erase(self) -> None:
        """Destroy database and key, and begin anew with nothing.

        What was set aside as damaged goes too.

        Raises:
            StoreError: Some file could not be deleted.
            KeyStoreError: The database is gone, its key is not.
        """
        self._database.destroy()
        forget_set_aside(self._path)
        self._key_store.forget()
        self._open()

    def close(self) -> None:
        """Give the file back; the store cannot be used afterwards."""
        self._database.close()

    def _open(self) -> None:
        key = key_for(self._path, self._key_store, self._entropy)
        self._database = EncryptedDatabase(self._path, key, secure_delete=self._secure_delete)
        try:
            upgrade(self._database)
        except BaseException:
            self._database.close()
            raise
        self.keys = OwnKeys(self._database)
        self.sightings = SightingLog(self._database)
        self.results = ResultLog(self._database, self._entropy)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
