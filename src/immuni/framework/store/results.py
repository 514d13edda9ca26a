"""What came of detections: when they were held, and what they found."""

import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, NewType, cast

import msgspec

from immuni.entropy import Entropy
from immuni.framework.store.encrypted_database import EncryptedDatabase, Row
from immuni.risk import ExposureInfo

KeyTag = NewType("KeyTag", bytes)
"""Stands for a published key within one phone's database: 16 bytes that only it can compute."""

TAG_LENGTH: Final = 16
_TAG_KEY_LENGTH: Final = 32
_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)


class DetectionKind(StrEnum):
    """By which risk model a detection was held."""

    V1 = "v1"
    V2 = "v2"


@dataclass(frozen=True, slots=True)
class TaggedWindow:
    """An exposure window of the second risk model, as its author packed it.

    Attributes:
        tag: Of the key that gave it.
        day: UTC day of the window.
        blob: Its contents.
    """

    tag: KeyTag
    day: date
    blob: bytes = field(repr=False)


class ResultLog:
    """The tables of detections and exposures.

    Privacy:
        An exposure is kept without the key that gave it away. Its tag is the HMAC-SHA-256 of that
        key under a random key that never leaves the database: enough to find again what a key gave
        when it is revoked, and nothing to anybody who does not hold the database opened. Whoever
        does can test published keys against the tags, as against the identifiers in it.
    """

    def __init__(self, database: EncryptedDatabase, entropy: Entropy) -> None:
        """Use tables that exist already.

        Args:
            database: Holds the tables.
            entropy: Makes the key of the tags, when the first is needed.
        """
        self._database = database
        self._entropy = entropy

    def tag_of(self, key_data: bytes) -> KeyTag:
        """Return what stands for a published key here.

        Raises:
            StoreError: The key of the tags could not be kept.
        """
        return KeyTag(hmac.digest(self._tag_key(), key_data, "sha256")[:TAG_LENGTH])

    def add_exposures(
        self, held_at: datetime, exposures: Sequence[tuple[KeyTag, ExposureInfo]]
    ) -> None:
        """Keep the outcome of a detection of the first model, all of it or nothing.

        What earlier detections found of the same keys gives way: a key that is published again,
        in a better version, counts once.

        Raises:
            StoreError: Nothing changed.
        """
        rows = [(tag, _day_number(info.day), msgspec.json.encode(info)) for tag, info in exposures]
        self._add(held_at, DetectionKind.V1, rows)

    def add_windows(self, held_at: datetime, windows: Sequence[TaggedWindow]) -> None:
        """Keep the outcome of a detection of the second model, as `add_exposures` does.

        A key may give several windows.

        Raises:
            StoreError: Nothing changed.
        """
        rows = [(window.tag, _day_number(window.day), window.blob) for window in windows]
        self._add(held_at, DetectionKind.V2, rows)

    def take_back(self, tags: Collection[KeyTag], *, now: datetime) -> None:
        """Delete what these keys gave, in both models, and note that they were revoked.

        That a detection was held stays, and counts.

        Raises:
            StoreError: Nothing changed; or all, and the bytes of what was deleted stay until the
                next purge.

        Privacy:
            Every revoked key is noted, heard or not: the note says nothing of whom one met.
        """
        day = _day_number(now.astimezone(UTC).date())
        with self._database.transaction():
            self._database.execute_many(
                "INSERT OR REPLACE INTO revocation (tag, day) VALUES (?, ?)",
                [(tag, day) for tag in tags],
            )
        with self._database.deletion():
            self._database.execute_many(
                "DELETE FROM exposure WHERE tag = ?", [(tag,) for tag in tags]
            )

    def revoked_among(self, tags: Collection[KeyTag]) -> frozenset[KeyTag]:
        """Return those of `tags` whose keys were revoked in the last 14 days.

        No sighting lives longer, so a revocation is final.
        """
        return frozenset(
            tag
            for tag in tags
            if self._database.execute("SELECT 1 FROM revocation WHERE tag = ?", (tag,))
        )

    def held_on(self, day: date, kind: DetectionKind = DetectionKind.V1) -> int:
        """Return how many detections of a kind were held on the UTC day `day`."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        ((count,),) = self._database.execute(
            "SELECT count(*) FROM detection WHERE held_at >= ? AND held_at < ? AND kind = ?",
            (int(start.timestamp()), int((start + _DAY).timestamp()), kind.value),
        )
        return cast("int", count)

    def latest_exposures(self) -> list[ExposureInfo]:
        """Return the exposures of the last detection of the first model that found any."""
        rows = self._database.execute(
            "SELECT info FROM exposure WHERE detection_id = ("
            " SELECT max(detection_id) FROM exposure JOIN detection ON detection.id = detection_id"
            " WHERE kind = ?) ORDER BY place",
            (DetectionKind.V1.value,),
        )
        return [
            msgspec.json.decode(info, type=ExposureInfo)
            for (info,) in cast("list[tuple[bytes]]", rows)
        ]

    def windows(self) -> list[TaggedWindow]:
        """Return the windows of all detections of the second model, the oldest detection first."""
        rows = self._database.execute(
            "SELECT tag, day, info FROM exposure JOIN detection ON detection.id = detection_id"
            " WHERE kind = ? ORDER BY detection_id, place",
            (DetectionKind.V2.value,),
        )
        return [
            TaggedWindow(KeyTag(tag), _EPOCH + day * _DAY, blob)
            for tag, day, blob in cast("list[tuple[bytes, int, bytes]]", rows)
        ]

    def purge(self, before: datetime) -> None:
        """Delete detections held before `before`; exposures and revocations of days before its."""
        day = _day_number(before.astimezone(UTC).date())
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM detection WHERE held_at < ?", (int(before.timestamp()),)
            )
            self._database.execute("DELETE FROM exposure WHERE day < ?", (day,))
            self._database.execute("DELETE FROM revocation WHERE day < ?", (day,))

    def forget_after(self, instant: datetime) -> None:
        """Delete detections that are dated later than `instant`; what was revoked stays so."""
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM detection WHERE held_at > ?", (int(instant.timestamp()),)
            )
            self._database.execute(
                "UPDATE revocation SET day = min(day, ?)",
                (_day_number(instant.astimezone(UTC).date()),),
            )

    def _add(self, held_at: datetime, kind: DetectionKind, rows: Sequence[Row]) -> None:
        with self._database.transaction():
            self._database.execute_many(
                "DELETE FROM exposure WHERE tag = ?"
                " AND detection_id IN (SELECT id FROM detection WHERE kind = ?)",
                [(tag, kind.value) for tag, *_ in rows],
            )
            ((detection_id,),) = self._database.execute(
                "INSERT INTO detection (held_at, kind) VALUES (?, ?) RETURNING id",
                (int(held_at.timestamp()), kind.value),
            )
            self._database.execute_many(
                "INSERT INTO exposure (detection_id, place, tag, day, info) VALUES (?, ?, ?, ?, ?)",
                [(detection_id, place, *row) for place, row in enumerate(rows)],
            )

    def _tag_key(self) -> bytes:
        rows = self._database.execute("SELECT key_data FROM tag_key")
        if not rows:
            key = self._entropy.token(_TAG_KEY_LENGTH)
            self._database.execute("INSERT INTO tag_key (id, key_data) VALUES (1, ?)", (key,))
            return key
        return cast("bytes", rows[0][0])


def _day_number(day: date) -> int:
    return (day - _EPOCH) // _DAY
