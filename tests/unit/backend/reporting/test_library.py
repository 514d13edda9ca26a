"""Which chunks are told of and given out."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from immuni.api import ChunkIndex
from immuni.backend.chunks import (
    ChunkDamagedError,
    ChunkMissingError,
    ChunkName,
    ChunkStoreError,
    FolderChunkStore,
)
from immuni.backend.errors import ChunkNotFoundError, NoChunksError
from immuni.backend.reporting.library import ChunkLibrary
from immuni.backend.reporting.rules import INDEX_MAX_AGE, PublishedChunk
from immuni.clock import ManualClock

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
RETENTION = timedelta(days=14)


def content(index: int) -> bytes:
    return b"%d" % index * 1000


def chunk(index: int, *, window_end: datetime = NOON) -> PublishedChunk:
    name = ChunkName.of(index, content(index))
    return PublishedChunk(name, len(content(index)), window_end)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def store(tmp_path: Path) -> FolderChunkStore:
    return FolderChunkStore.open(tmp_path)


@pytest.fixture
def library(store: FolderChunkStore, clock: ManualClock) -> ChunkLibrary:
    return ChunkLibrary(store, clock, retention=RETENTION, cache_bytes=2500)


def turn_into_a_file(folder: Path) -> None:
    """Leave a store that cannot even be listed."""
    shutil.rmtree(folder)
    folder.write_bytes(b"")


async def stocked(store: FolderChunkStore, *indices: int) -> list[PublishedChunk]:
    for index in indices:
        await store.write(ChunkName.of(index, content(index)), content(index))
    return [chunk(index) for index in indices]


def test_nothing_is_told_before_there_is_something(library: ChunkLibrary) -> None:
    with pytest.raises(NoChunksError):
        library.index()
    with pytest.raises(ChunkNotFoundError):
        library.find(1)


async def test_what_is_published_is_told_and_given_out(
    library: ChunkLibrary, store: FolderChunkStore
) -> None:
    await library.replace(await stocked(store, 3, 4, 5))

    assert library.index() == ChunkIndex(oldest=3, newest=5)
    assert await library.read(library.find(4)) == content(4)
    for index in (2, 6, 2**63):
        with pytest.raises(ChunkNotFoundError):
            library.find(index)


async def test_the_index_is_never_ahead_of_the_store(
    library: ChunkLibrary, store: FolderChunkStore
) -> None:
    await stocked(store, 1, 3)
    with capture_logs() as events:
        await library.replace([chunk(1), chunk(2), chunk(3)])
    assert library.index() == ChunkIndex(oldest=1, newest=1)
    assert events == [
        {
            "event": "chunks_not_readable",
            "area": "reporting",
            "log_level": "warning",
            "first": 2,
            "count": 2,
        }
    ]

    await stocked(store, 2)
    assert await library.replace([chunk(1), chunk(2), chunk(3)])

    assert library.index() == ChunkIndex(oldest=1, newest=3)


async def test_a_damaged_file_is_never_told_of_until_it_is_mended(
    library: ChunkLibrary, store: FolderChunkStore, tmp_path: Path
) -> None:
    chunks = await stocked(store, 1, 2, 3)
    file = tmp_path / chunks[1].name.file_name
    file.write_bytes(content(2)[:-1])

    for _ in range(2):
        assert not await library.replace(chunks)
        assert library.index() == ChunkIndex(oldest=1, newest=1)
        with pytest.raises(ChunkNotFoundError):
            library.find(2)

    file.write_bytes(content(2))
    assert await library.replace(chunks)
    assert library.index() == ChunkIndex(oldest=1, newest=3)


async def test_a_file_that_turns_out_to_be_damaged_is_told_of_no_longer(
    library: ChunkLibrary, store: FolderChunkStore, tmp_path: Path
) -> None:
    chunks = await stocked(store, 5, 6, 7, 8)
    await library.replace(chunks)
    (tmp_path / chunks[1].name.file_name).write_bytes(b"damaged")

    with pytest.raises(ChunkDamagedError):
        await library.read(library.find(6))

    assert library.index() == ChunkIndex(oldest=5, newest=5)
    assert not await library.replace(chunks)


async def test_a_lost_file_is_missed_within_a_minute_unless_memory_holds_it(
    library: ChunkLibrary, store: FolderChunkStore, clock: ManualClock
) -> None:
    chunks = await stocked(store, 1, 2, 3, 4)
    await library.replace(chunks)
    for each in (chunks[1], chunks[3]):
        await store.delete(each.name)
    clock.advance(timedelta(minutes=1))

    assert not await library.replace(chunks)
    assert library.index() == ChunkIndex(oldest=1, newest=1)

    await stocked(store, 2)
    assert await library.replace(chunks)
    assert await library.read(library.find(4)) == content(4)


async def test_a_store_that_does_not_answer_leaves_what_is_told(
    library: ChunkLibrary, store: FolderChunkStore, clock: ManualClock, tmp_path: Path
) -> None:
    chunks = await stocked(store, 1, 2)
    await library.replace(chunks)
    turn_into_a_file(tmp_path)
    clock.advance(timedelta(minutes=1))

    with pytest.raises(ChunkStoreError):
        await library.replace([*chunks, chunk(3)])
    assert library.index() == ChunkIndex(oldest=1, newest=2)
    assert await library.read(library.find(1)) == content(1)


async def test_a_chunk_is_given_out_for_one_cache_lifetime_longer_than_it_is_told_of(
    library: ChunkLibrary, store: FolderChunkStore, clock: ManualClock
) -> None:
    await stocked(store, 1, 2)
    await library.replace([chunk(1, window_end=NOON - timedelta(hours=4)), chunk(2)])

    clock.set(NOON - timedelta(hours=4) + RETENTION)
    assert library.index() == ChunkIndex(oldest=2, newest=2)
    assert library.find(1) == chunk(1, window_end=NOON - timedelta(hours=4))

    clock.advance(INDEX_MAX_AGE)
    with pytest.raises(ChunkNotFoundError):
        library.find(1)

    clock.set(NOON + RETENTION)
    with pytest.raises(NoChunksError):
        library.index()

    clock.set(NOON)
    assert library.index() == ChunkIndex(oldest=1, newest=2)


async def test_bytes_stay_in_memory_up_to_the_limit(
    library: ChunkLibrary, store: FolderChunkStore
) -> None:
    await library.replace(await stocked(store, 1, 2, 3))
    for index in (1, 2, 3):
        await library.read(library.find(index))
    for index in (1, 2, 3):
        await store.delete(ChunkName.of(index, content(index)))

    assert await library.read(library.find(2)) == content(2)
    assert await library.read(library.find(3)) == content(3)
    with pytest.raises(ChunkMissingError):
        await library.read(library.find(1))


async def test_of_many_who_ask_at_once_one_reads_and_one_may_leave(
    library: ChunkLibrary, store: FolderChunkStore
) -> None:
    # Of three, memory keeps the two newest.
    await library.replace(await stocked(store, 1, 2, 3))
    readers = [asyncio.create_task(library.read(library.find(1))) for _ in range(20)]
    await asyncio.sleep(0)
    readers[0].cancel()

    results = await asyncio.gather(*readers, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert set(results[1:]) == {content(1)}
