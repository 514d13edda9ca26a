"""Which chunks are told of, and which can be downloaded.

Source:
    From uploads to TEK Chunks, "Retention".
"""

from collections.abc import Sequence
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


def index_of(
    chunks: Sequence[PublishedChunk], *, now: datetime, retention: timedelta
) -> ChunkIndex | None:
    """Return the index to tell, None where no chunk is young enough.

    Args:
        chunks: Chunks that can be read, by index, without gaps.
        now: The moment of the question.
        retention: For how long after its window a chunk is of use.
    """
    told = [each.name.index for each in chunks if each.window_end + retention > now]
    return ChunkIndex(oldest=told[0], newest=told[-1]) if told else None


def is_downloadable(chunk: PublishedChunk, *, now: datetime, retention: timedelta) -> bool:
    """Tell whether a chunk is still given out.

    It is for one cache lifetime longer than it is told of: no phone meets a 404 for what it was
    just told.
    """
    return chunk.window_end + retention + INDEX_MAX_AGE > now


def readable_run(
    chunks: Sequence[PublishedChunk], stored: frozenset[ChunkName]
) -> list[PublishedChunk]:
    """Return the chunks up to the first one that the store does not hold yet.

    An index that named a chunk behind a missing one would send phones into a 404, and they skip no
    chunk.
    """
    run: list[PublishedChunk] = []
    for chunk in sorted(chunks, key=lambda each: each.name.index):
        if chunk.name not in stored:
            break
        run.append(chunk)
    return run
