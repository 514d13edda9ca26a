"""The chunks in memory: what is told of them, and a bounded number of their bytes."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from immuni.api import ChunkIndex
from immuni.backend.chunks import ChunkDamagedError, ChunkMissingError, ChunkName, ChunkStore
from immuni.backend.errors import ChunkNotFoundError, NoChunksError
from immuni.backend.reporting.rules import (
    PublishedChunk,
    ToldIndex,
    is_downloadable,
    readable_run,
    told_index,
)
from immuni.clock import Clock
from immuni.telemetry import logger

_LOOK_AGAIN: Final = timedelta(minutes=1)
"""How often the store is listed although nothing is new: a file may have been lost."""
_NOTHING: Final = ToldIndex(None, None, None)
_log = logger("reporting")


class ChunkLibrary:
    """Answers from memory; asks the store for bytes that it does not hold, never the database.

    A chunk is told of once its file was read and had the right digest, and no longer than it can be
    read. Chunks behind one that cannot are not told of either: phones go from one to the next.
    """

    def __init__(
        self, store: ChunkStore, clock: Clock, *, retention: timedelta, cache_bytes: int
    ) -> None:
        """Begin empty.

        Args:
            store: Holds the files.
            clock: Tells which chunks have expired.
            retention: For how long after its window a chunk is of use.
            cache_bytes: How much of the files is kept in memory.
        """
        self._store = store
        self._clock = clock
        self._retention = retention
        self._published: list[PublishedChunk] = []
        self._readable: set[ChunkName] = set()
        self._told: dict[int, PublishedChunk] = {}
        self._first_untold: int | None = None
        self._looked_at: datetime | None = None
        self._index = _NOTHING
        self._cache = _ByteCache(cache_bytes)
        self._reading: dict[int, asyncio.Task[bytes]] = {}

    async def replace(self, chunks: Sequence[PublishedChunk]) -> bool:
        """Tell of `chunks` from now on, up to the first one whose file cannot be read.

        Returns:
            Whether all are told of.

        Raises:
            ChunkStoreError: The store does not answer; what was told so far stays.
        """
        published = sorted(chunks, key=lambda each: each.name.index)
        if published != self._published or self._must_look():
            await self._look(published)
            self._published = published
            self._looked_at = self._clock.now()
            self._tell()
        return self._first_untold is None

    def index(self) -> ChunkIndex:
        """Return the index to tell.

        Raises:
            NoChunksError: There is none.
        """
        now = self._clock.now()
        if not self._index.holds(now):
            self._index = told_index(list(self._told.values()), now=now, retention=self._retention)
        if self._index.index is None:
            raise NoChunksError("no chunk is available")
        return self._index.index

    def find(self, index: int) -> PublishedChunk:
        """Return the chunk with this number, if it can be downloaded.

        Raises:
            ChunkNotFoundError: It cannot: never published, or expired.
        """
        chunk = self._told.get(index)
        now = self._clock.now()
        if chunk is None or not is_downloadable(chunk, now=now, retention=self._retention):
            raise ChunkNotFoundError("no such chunk")
        return chunk

    async def read(self, chunk: PublishedChunk) -> bytes:
        """Return a chunk's bytes; of several who ask at once, one reads.

        Raises:
            ChunkStoreError: The store does not hold them, or not these; where it answered so, the
                chunk is not told of any longer.
        """
        index = chunk.name.index
        data = self._cache.find(index)
        if data is not None:
            return data
        task = self._reading.get(index)
        if task is None:
            task = asyncio.create_task(self._read(chunk.name))
            self._reading[index] = task
            task.add_done_callback(lambda _: self._reading.pop(index, None))
        # Shielded: one client that goes away must not take the bytes from the others.
        return await asyncio.shield(task)

    async def _read(self, name: ChunkName) -> bytes:
        try:
            data = await self._store.read(name)
        except (ChunkMissingError, ChunkDamagedError):
            self._readable.discard(name)
            self._tell()
            raise
        self._cache.keep(name.index, data)
        return data

    def _must_look(self) -> bool:
        """Tell whether the store has to be looked at although no chunk is new."""
        if self._first_untold is not None or self._looked_at is None:
            return True
        # A clock that was set back counts as time passed.
        return not timedelta(0) <= self._clock.now() - self._looked_at < _LOOK_AGAIN

    async def _look(self, published: Sequence[PublishedChunk]) -> None:
        """Find out which of the chunks can be read, up to the first that cannot."""
        stored = frozenset(await self._store.names())
        # What memory holds can be given out, whatever became of its file.
        self._readable = {
            each for each in self._readable if each in stored or self._cache.holds(each.index)
        }
        for chunk in published:
            if chunk.name not in self._readable:
                try:
                    data = await self._store.read(chunk.name)
                except (ChunkMissingError, ChunkDamagedError):
                    return
                self._readable.add(chunk.name)
                self._cache.keep(chunk.name.index, data)

    def _tell(self) -> None:
        run = readable_run(self._published, self._readable)
        self._told = {each.name.index: each for each in run}
        self._index = _NOTHING
        self._cache.keep_only({each.name.index for each in self._published})
        self._note(
            self._published[len(run)].name.index if len(run) < len(self._published) else None
        )

    def _note(self, first_untold: int | None) -> None:
        """Log once what is not told of, not at every look."""
        if first_untold is not None and first_untold != self._first_untold:
            count = len(self._published) - len(self._told)
            _log.warning("chunks_not_readable", first=first_untold, count=count)
        self._first_untold = first_untold


class _ByteCache:
    """Keeps the files that were asked for last, up to a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._files: OrderedDict[int, bytes] = OrderedDict()

    def holds(self, index: int) -> bool:
        return index in self._files

    def find(self, index: int) -> bytes | None:
        data = self._files.get(index)
        if data is not None:
            self._files.move_to_end(index)
        return data

    def keep(self, index: int, data: bytes) -> None:
        if index in self._files:
            return
        self._files[index] = data
        self._size += len(data)
        while self._size > self._max_bytes and len(self._files) > 1:
            self._drop(next(iter(self._files)))

    def keep_only(self, indices: Collection[int]) -> None:
        for index in [each for each in self._files if each not in indices]:
            self._drop(index)

    def _drop(self, index: int) -> None:
        self._size -= len(self._files.pop(index))
