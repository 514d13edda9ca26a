"""Where the App's memory lies: one encrypted file, apart from the framework's."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

import msgspec

from immuni.app.questions.shelf import QuestionShelf
from immuni.app.record import AppRecord
from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.framework import KeyStore
from immuni.framework.store.encrypted_database import EncryptedDatabase
from immuni.framework.store.key_store import key_for

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS record (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    content BLOB NOT NULL
) STRICT
"""


class UnreadableRecordError(ImmuniError, ValueError):
    """The App's memory was written by a version that this one does not understand."""


class AppStore:
    """The App's memory, read once and written whole at every change.

    One value in one row: what belongs together is stored together, and a crash leaves either the
    former memory or the new one.
    """

    _record: AppRecord
    _questions: QuestionShelf

    def __init__(self, path: Path, key_store: KeyStore, entropy: Entropy) -> None:
        """Read the memory from the file `path`, as `open` does."""
        self._path = path
        self._key_store = key_store
        self._entropy = entropy
        self._open()

    @classmethod
    def open(cls, path: Path, key_store: KeyStore, *, entropy: Entropy) -> Self:
        """Open the file `path` with the key in `key_store`; make both where there are none.

        Raises:
            UnreadableRecordError: A later version wrote it; nothing was changed.
            StoreLockedError: The file is there and its key is not, or is another one.
            KeyStoreError: The place of the key cannot be looked into; no key was made.
            StoreError: The file cannot be opened.
        """
        return cls(path, key_store, entropy)

    @property
    def record(self) -> AppRecord:
        """What the App remembers now."""
        return self._record

    @property
    def questions(self) -> QuestionShelf:
        """Questions and answers that servers gave out."""
        return self._questions

    def update(self, change: Callable[[AppRecord], AppRecord]) -> AppRecord:
        """Replace the memory by `change` of it, durably, and return the new one.

        The change is made on the memory as it is now, not as somebody read it before a pause, so
        that the session and the user's own doings do not undo each other.

        Raises:
            StoreError: It could not be written; the former memory stays.
        """
        changed = change(self._record)
        if changed != self._record:
            self._database.execute(
                "INSERT INTO record (id, content) VALUES (1, ?)"
                " ON CONFLICT (id) DO UPDATE SET content = excluded.content",
                (msgspec.json.encode(changed),),
            )
            self._record = changed
        return changed

    def scrub(self) -> None:
        """Leave no bytes of what the memory held once and does not hold now.

        Raises:
            StoreError: Some of it still stands in the file's log; nothing is lost.
        """
        self._database.checkpoint()

    def erase(self) -> None:
        """Destroy the file and its key, and begin anew with nothing.

        Raises:
            StoreError: Some file could not be deleted.
            KeyStoreError: The memory is gone, its key is not.
        """
        self._database.destroy()
        self._key_store.forget()
        self._open()

    def close(self) -> None:
        """Give the file back."""
        self._database.close()

    def _open(self) -> None:
        key = key_for(self._path, self._key_store, self._entropy)
        self._database = EncryptedDatabase(self._path, key)
        try:
            self._database.execute(_TABLE)
            self._record = _read(self._database)
            self._questions = QuestionShelf(self._database)
        except BaseException:
            self._database.close()
            raise


def _read(database: EncryptedDatabase) -> AppRecord:
    rows = database.execute("SELECT content FROM record")
    if not rows:
        return AppRecord()
    ((content,),) = rows
    try:
        return msgspec.json.decode(content if isinstance(content, bytes) else b"", type=AppRecord)
    except msgspec.MsgspecError as error:
        raise UnreadableRecordError("the App's memory is of another version") from error
