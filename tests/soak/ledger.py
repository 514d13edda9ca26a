"""What must be published and what must not, kept by those who uploaded it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from immuni.export import ExportError, VerificationKey, read_export
from immuni.keys import INTERVAL_SECONDS, TemporaryExposureKey

EMBARGO: Final = timedelta(hours=2)
_SHOWN: Final = 3
"""How many cases of one fault are told."""


@dataclass
class Ledger:
    """Keys by what has to become of them, and what became of them.

    Attributes:
        key: Verifies chunks.
        accepted: Keys of uploads that were answered with 204 and whose day is in the table, each
            with the moment when its period ends.
        refused: Keys that must never be published: their upload was refused, or their day is not
            in the table.
        uploads: How many were accepted, repeated ones once.
        published: The chunks that hold each key, those of simulated people included.
        digests: Of each chunk that was read.
        faults: What must not be.
    """

    key: VerificationKey
    accepted: dict[bytes, datetime] = field(default_factory=dict, repr=False)
    refused: set[bytes] = field(default_factory=set, repr=False)
    uploads: int = 0
    published: dict[bytes, int] = field(default_factory=dict, repr=False)
    digests: dict[int, bytes] = field(default_factory=dict, repr=False)
    faults: list[str] = field(default_factory=list)

    @property
    def newest(self) -> int:
        """The last chunk that was read, 0 before the first."""
        return max(self.digests, default=0)

    def accept(
        self, wanted: Sequence[TemporaryExposureKey], unwanted: Sequence[TemporaryExposureKey]
    ) -> None:
        """Note that an upload was accepted."""
        self.uploads += 1
        self.accepted |= {tek.key_data: end_of(tek) for tek in wanted}
        self.refused |= {tek.key_data for tek in unwanted}

    def refuse(self, teks: Sequence[TemporaryExposureKey]) -> None:
        """Note that an upload was refused."""
        self.refused |= {tek.key_data for tek in teks}

    def read(self, index: int, data: bytes, now: datetime) -> None:
        """Read a new chunk as a phone does."""
        if self.digests and index != self.newest + 1:
            self.faults.append(f"chunk {index} came after chunk {self.newest}")
        self.digests[index] = hashlib.sha256(data).digest()
        try:
            export = read_export(data, [self.key])
        except ExportError as error:
            self.faults.append(f"chunk {index} cannot be read: {type(error).__name__}")
            return
        for key in export.keys:
            self._see(key.tek, index, now)

    def read_again(self, index: int, data: bytes) -> None:
        """Compare a chunk with what it was when it was read first."""
        if hashlib.sha256(data).digest() != self.digests[index]:
            self.faults.append(f"chunk {index} has changed")

    def missing(self, now: datetime) -> int:
        """Return how many keys should be published by now, and are not."""
        return sum(
            end + EMBARGO <= now and data not in self.published
            for data, end in self.accepted.items()
        )

    def broken(self, now: datetime) -> list[str]:
        """Return a sentence for each thing that is not as it must be.

        Args:
            now: When the last run of publishing began, whose chunks have all been read.
        """
        told = [*self.faults[:_SHOWN]]
        if hidden := self.faults[_SHOWN:]:
            told.append(f"{len(hidden)} more faults of chunks")
        if missing := self.missing(now):
            told.append(f"{missing} keys of accepted uploads were not published")
        if leaked := len(self.refused & self.published.keys()):
            told.append(f"{leaked} keys were published that no chunk may hold")
        return told

    def _see(self, tek: TemporaryExposureKey, index: int, now: datetime) -> None:
        if (before := self.published.setdefault(tek.key_data, index)) != index:
            self.faults.append(f"chunk {index} repeats a key of chunk {before}")
        if end_of(tek) + EMBARGO > now:
            self.faults.append(f"chunk {index} holds a key under embargo")


def end_of(tek: TemporaryExposureKey) -> datetime:
    """Return the moment when a key's period ends."""
    return datetime.fromisoformat("1970-01-01T00:00:00+00:00") + timedelta(
        seconds=INTERVAL_SECONDS * tek.rolling_end_number
    )
