"""The chunks in memory: what is told of them, and a bounded number of their bytes."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import timedelta

from immuni.api import ChunkIndex
from immuni.backend.chunks import ChunkStore
from immuni.backend.errors import ChunkNotFoundError, NoChunksError
from immuni.backend.reporting.rules import (
    PublishedChunk,
    index_of,
    is_downloadable,
    readable_run,
)
from immuni.clock import Clock
from immuni.telemetry import logger

_log = logger("reporting")


class ChunkLibrary:
    """Answers from memory; asks the store for bytes that it does not hold, never the database."""

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
        self._chunks: list[PublishedChunk] = []
        self._by_index: dict[int, PublishedChunk] = {}
        self._cache = _ByteCache(cache_bytes)
        self._reading: dict[int, asyncio.Task[bytes]] = {}

    async def replace(self, chunks: Sequence[PublishedChunk]) -> None:
        """Tell of `chunks` from now on, up to the first one that the store does not hold yet.

        Raises:
            ChunkStoreError: The store does not answer; what was told so far stays.
        """
        if list(chunks) == self._chunks:
            return
        readable = readable_run(chunks, frozenset(await self._store.names()))
        if len(readable) < len(chunks):
            missing = len(chunks) - len(readable)
            _log.warning(
                "chunks_not_readable", first=chunks[len(readable)].name.index, count=missing
            )
        self._chunks = readable
        self._by_index = {each.name.index: each for each in readable}
        self._cache.keep_only(self._by_index.keys())

    def index(self) -> ChunkIndex:
        """Return the index to tell.

        Raises:
            NoChunksError: There is none.
        """
        index = index_of(self._chunks, now=self._clock.now(), retention=self._retention)
        if index is None:
            raise NoChunksError("no chunk is available")
        return index

    def find(self, index: int) -> PublishedChunk:
        """Return the chunk with this number, if it can be downloaded.

        Raises:
            ChunkNotFoundError: It cannot: never published, or expired.
        """
        chunk = self._by_index.get(index)
        now = self._clock.now()
        if chunk is None or not is_downloadable(chunk, now=now, retention=self._retention):
            raise ChunkNotFoundError("no such chunk")
        return chunk

    async def read(self, chunk: PublishedChunk) -> bytes:
        """Return a chunk's bytes; of several who ask at once, one reads.

        Raises:
            ChunkStoreError: The store does not hold them, or not these.
        """
        index = chunk.name.index
        data = self._cache.find(index)
        if data is not None:
            return data
        task = self._reading.get(index)
        if task is None:
            task = asyncio.create_task(self._store.read(chunk.name))
            self._reading[index] = task
            task.add_done_callback(lambda _: self._reading.pop(index, None))
        # Shielded: one client that goes away must not take the bytes from the others.
        data = await asyncio.shield(task)
        self._cache.keep(index, data)
        return data


class _ByteCache:
    """Keeps the files that were asked for last, up to a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._files: OrderedDict[int, bytes] = OrderedDict()

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
