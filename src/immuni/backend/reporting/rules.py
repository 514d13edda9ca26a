"""Which chunks are told of, and which can be downloaded.

Source:
    From uploads to TEK Chunks, "Retention".
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from immuni.api import ChunkIndex
from immuni.backend.chunks import ChunkName

INDEX_MAX_AGE: Final = timedelta(minutes=30)
"""How long a cache may keep an index."""


@dataclass(frozen=True, slots=True)
class PublishedChunk:
    """A chunk as the database knows it.

    Attributes:
        name: Its index and digest.
        size_bytes: Length of its file.
        window_end: End of the window of uploads that it stands for.
    """

    name: ChunkName
    size_bytes: int
    window_end: datetime


@dataclass(frozen=True, slots=True)
class ToldIndex:
    """An index, and for how long it is the one to tell.

    Attributes:
        index: What to tell; None where no chunk is young enough.
        since: When it was made; None was never made.
        until: When the next chunk leaves it; None where none will.
    """

    index: ChunkIndex | None
    since: datetime | None
    until: datetime | None

    def holds(self, now: datetime) -> bool:
        """Return whether it is still the one to tell, also by a clock that was set back."""
        return (
            self.since is not None
            and self.since <= now
            and (self.until is None or now < self.until)
        )


def told_index(
    chunks: Sequence[PublishedChunk], *, now: datetime, retention: timedelta
) -> ToldIndex:
    """Return the index to tell.

    Args:
        chunks: Chunks that can be read, by index, without gaps.
        now: The moment of the question.
        retention: For how long after its window a chunk is of use.
    """
    ends = {each.name.index: each.window_end + retention for each in chunks}
    told = {index: end for index, end in ends.items() if end > now}
    if not told:
        return ToldIndex(None, now, None)
    return ToldIndex(ChunkIndex(oldest=min(told), newest=max(told)), now, min(told.values()))


def is_downloadable(chunk: PublishedChunk, *, now: datetime, retention: timedelta) -> bool:
    """Tell whether a chunk is still given out.

    It is for one cache lifetime longer than it is told of: no phone meets a 404 for what it was
    just told.
    """
    return chunk.window_end + retention + INDEX_MAX_AGE > now


def readable_run(
    chunks: Sequence[PublishedChunk], readable: Collection[ChunkName]
) -> list[PublishedChunk]:
    """Return the chunks up to the first one that cannot be read.

    An index that named a chunk behind a missing one would send phones into a 404, and they skip no
    chunk.
    """
    run: list[PublishedChunk] = []
    for chunk in sorted(chunks, key=lambda each: each.name.index):
        if chunk.name not in readable:
            break
        run.append(chunk)
    return run
