"""The questions that a server gave out last; where it gave none, those that the App carries."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from immuni.api import Question, Questions
from immuni.framework.store.encrypted_database import EncryptedDatabase
from immuni.texts import questions

_ASKED_AGAIN_AFTER: Final = timedelta(days=1)
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS questions (
    language TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    asked_at REAL NOT NULL,
    tag TEXT NOT NULL,
    content BLOB
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the shelf holds in one language.

    Attributes:
        tag: The entity tag with which it came; empty where it came without.
        asked_at: When the server was last asked.
        questions: None where nothing has come yet.
    """

    tag: str = ""
    asked_at: datetime | None = None
    questions: tuple[Question, ...] | None = field(default=None, repr=False)

    def is_due(self, now: datetime) -> bool:
        """Tell whether the server should be asked again; a clock that ran ahead counts for none."""
        return self.asked_at is None or not (
            timedelta() <= now - self.asked_at < _ASKED_AGAIN_AFTER
        )


class QuestionShelf:
    """The newest questions in each language.

    They stand apart from the App's memory, which is written whole at every change: they are longer
    than it, public, and nothing depends on them.
    """

    def __init__(self, database: EncryptedDatabase) -> None:
        """Use a table of `database`, which the App's memory closes."""
        self._database = database
        database.execute(_TABLE)

    def questions(self, language: str) -> tuple[Question, ...]:
        """Return the questions in a language of the App, the most important first."""
        rows = self._database.execute(
            "SELECT content FROM questions WHERE language = ?", (language,)
        )
        return _read(rows[0][0] if rows else None) or questions(language)

    def kept(self, language: str, address: str) -> Kept:
        """Return what came from `address`; nothing of what came from another."""
        rows = self._database.execute(
            "SELECT tag, asked_at, content FROM questions WHERE language = ? AND address = ?",
            (language, address),
        )
        match rows:
            case [(str(tag), float(asked_at), content)]:
                return Kept(tag, datetime.fromtimestamp(asked_at).astimezone(), _read(content))
            case _:
                return Kept()

    def keep(self, language: str, address: str, kept: Kept, *, asked_at: datetime) -> None:
        """Put by what a server has answered, in place of what was there.

        Raises:
            StoreError: It could not be written; what was there stays.
        """
        content = None
        if kept.questions is not None:
            content = msgspec.json.encode(Questions(faqs=kept.questions))
        self._database.execute(
            "INSERT OR REPLACE INTO questions (language, address, asked_at, tag, content)"
            " VALUES (?, ?, ?, ?, ?)",
            (language, address, asked_at.timestamp(), kept.tag, content),
        )


def _read(content: object) -> tuple[Question, ...] | None:
    if not isinstance(content, bytes):
        return None
    try:
        return msgspec.json.decode(content, type=Questions).faqs or None
    except msgspec.MsgspecError:
        return None  # A later version wrote it otherwise; the next day brings it anew.
