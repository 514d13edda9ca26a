"""What a phone remembers, encrypted: its own keys, what it heard, what came of it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self, cast

from immuni.entropy import Entropy
from immuni.framework.encrypted_database import EncryptedDatabase, StoreLockedError
from immuni.framework.key_store import STORE_KEY_LENGTH, KeyStore
from immuni.framework.own_keys import OwnKeys
from immuni.framework.results import ResultLog
from immuni.framework.schema import TABLES, upgrade
from immuni.framework.sightings import SightingLog
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
            StoreLockedError: The key is missing or wrong.
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
        """Delete what is more than 14 days old, so that its bytes are gone from the disk."""
        before = now - RETENTION
        changes = self._database.total_changes
        with self._database.transaction():
            self.sightings.purge(before)
            self.keys.purge(interval_at(before))
            self.results.purge(before)
        if self._database.total_changes > changes:
            # The log still holds the pages as they were.
            self._database.checkpoint()

    def forget_after(self, instant: datetime) -> None:
        """Delete what a clock that ran ahead dated later than `instant`."""
        with self._database.transaction():
            self.sightings.forget_after(instant)
            self.keys.forget_after(interval_at(instant))
            self.results.forget_after(instant)
        self._database.checkpoint()

    def contents(self) -> dict[str, int]:
        """Return the number of rows of each table."""
        counts = {}
        for table in TABLES:
            # The names are constants of ours.
            ((count,),) = self._database.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
            counts[table] = cast("int", count)
        return counts

    def contains_bytes(self, needle: bytes) -> bool:
        """Tell whether `needle` stands anywhere in the decrypted pages.

        Free pages and the write-ahead log are searched too: this is how one proves that
        something is not, or no longer, there.
        """
        return any(needle in page for page in self._database.plain_pages())

    def erase(self) -> None:
        """Destroy database and key, and begin anew with nothing."""
        self._database.destroy()
        self._key_store.forget()
        self._open()

    def close(self) -> None:
        """Give the file back; the store cannot be used afterwards."""
        self._database.close()

    def _open(self) -> None:
        self._database = EncryptedDatabase(
            self._path, self._key(), secure_delete=self._secure_delete
        )
        try:
            upgrade(self._database)
        except BaseException:
            self._database.close()
            raise
        self.keys = OwnKeys(self._database)
        self.sightings = SightingLog(self._database)
        self.results = ResultLog(self._database)

    def _key(self) -> bytes:
        key = self._key_store.load()
        if key is None:
            # Not even an empty file is made with a new key where a database lies already: the old
            # key may come back.
            if self._path.exists() and self._path.stat().st_size:
                raise StoreLockedError("there is a database, but no key for it")
            key = self._entropy.token(STORE_KEY_LENGTH)
            self._key_store.save(key)
        return key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
