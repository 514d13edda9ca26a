"""Collects the keys that are due, upload by upload, until a chunk is full."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from immuni.backend.publishing.due import DueKeys
from immuni.backend.publishing.rules import PublicationRules, Sorted
from immuni.backend.publishing.store import PendingUpload, PublishingSession, UsedUpload

_PAGE: Final = 1000


@dataclass(slots=True)
class Batch:
    """Keys for one chunk, and the uploads that they come from.

    Attributes:
        keys: The keys; one that comes from two uploads is there once.
        exhausted: No upload is left behind these.
        last_id: Where the next batch goes on.
    """

    keys: DueKeys = field(default_factory=DueKeys)
    exhausted: bool = False
    last_id: UUID | None = None
    _met: set[bytes] = field(default_factory=set, repr=False)
    _simulated_keys: set[bytes] = field(default_factory=set, repr=False)
    _real_uploads: list[UsedUpload] = field(default_factory=list)
    _simulated_uploads: list[UsedUpload] = field(default_factory=list)

    @property
    def holds_real_keys(self) -> bool:
        """Tell whether anybody waits for this chunk."""
        return len(self.keys) > len(self._simulated_keys)

    @property
    def used(self) -> list[UsedUpload]:
        """Every upload that gives keys to the chunk."""
        return self._real_uploads + self._simulated_uploads

    @property
    def used_up(self) -> list[UsedUpload]:
        """The uploads that are used up when the batch holds no real key: all theirs are public."""
        return self._real_uploads

    def add(self, upload: PendingUpload, parts: Sorted) -> None:
        """Take over the keys of one upload that are due."""
        self.last_id = upload.id
        if not parts.ready:
            return
        used = UsedUpload(upload.id, parts.waiting)
        (self._simulated_uploads if upload.simulated else self._real_uploads).append(used)
        is_new = self._met.isdisjoint(parts.ready.key_data)
        self.keys.extend(parts.ready if is_new else parts.ready.without(self._met))
        self._met.update(parts.ready.key_data)
        if upload.simulated:
            self._simulated_keys.update(parts.ready.key_data)

    def forget(self, key_data: AbstractSet[bytes]) -> None:
        """Leave out keys that are published already."""
        if key_data:
            self.keys = self.keys.without(key_data)
            self._simulated_keys -= key_data


async def collect(
    session: PublishingSession,
    rules: PublicationRules,
    *,
    after: UUID | None,
    room: int,
    now: datetime,
) -> Batch:
    """Return the keys that are due, at most `room`, from the uploads behind `after`."""
    batch = Batch(last_id=after)
    full = False
    while not full and not batch.exhausted:
        page = await session.pending(after=batch.last_id, limit=_PAGE)
        batch.exhausted = len(page) < _PAGE
        for upload in page:
            parts = rules.sort(upload.keys, upload.diagnosis, now)
            full = len(batch.keys) + len(parts.ready) > room
            if full:
                batch.exhausted = False
                break
            batch.add(upload, parts)
    batch.forget(await session.published_among(batch.keys.key_data))
    return batch
