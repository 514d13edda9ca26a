"""The chunk stores: durable, checked, and told apart by digest."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.chunks import (
    ChunkDamagedError,
    ChunkName,
    ChunkStore,
    ChunkStoreError,
    FolderChunkStore,
)

pytestmark = pytest.mark.anyio

DATA = b"chunk " * 1000
NAME = ChunkName.of(7, DATA)


@pytest.fixture
def store(tmp_path: Path) -> ChunkStore:
    return FolderChunkStore.open(tmp_path / "chunks")


def file_of(tmp_path: Path) -> Path:
    return tmp_path / "chunks" / NAME.file_name


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_name_holds_index_and_digest(index: int, digest: bytes) -> None:
    name = ChunkName(index, digest)

    assert ChunkName.parse(name.file_name) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chunk-1.zip",
        ".chunk.part",
        NAME.file_name + "x",
        NAME.file_name.upper(),
        NAME.file_name.replace("7-", "0-", 1).replace("0" * 19, "9" * 19),
        NAME.file_name.replace("0000000000000000007", "0000000000000000000"),
    ],
)
def test_other_files_are_no_chunks(text: str) -> None:
    assert ChunkName.parse(text) is None


async def test_names_come_by_index_and_leave_other_files_out(
    store: ChunkStore, tmp_path: Path
) -> None:
    (tmp_path / "chunks" / "README").write_text("not a chunk")
    names = [ChunkName.of(index, DATA) for index in (10, 2, 1)]
    for name in names:
        await store.write(name, DATA)

    assert await store.names() == sorted(names)


async def test_bytes_under_a_wrong_name_are_not_written(store: ChunkStore) -> None:
    with pytest.raises(ChunkDamagedError):
        await store.write(NAME, DATA + b"x")

    assert await store.names() == []


async def test_a_damaged_file_is_not_served(store: ChunkStore, tmp_path: Path) -> None:
    await store.write(NAME, DATA)
    file_of(tmp_path).write_bytes(DATA[:-1])

    with pytest.raises(ChunkDamagedError):
        await store.read(NAME)


async def test_what_a_killed_writer_left_is_no_chunk_and_goes_with_the_next(
    store: ChunkStore, tmp_path: Path
) -> None:
    left_over = tmp_path / "chunks" / ".abc.part"
    left_over.write_bytes(DATA[:10])

    assert await store.names() == []
    await store.write(NAME, DATA)

    assert not left_over.exists()
    assert await store.names() == [NAME]


async def test_many_readers_get_the_same_bytes(store: ChunkStore) -> None:
    await store.write(NAME, DATA)

    assert set(await asyncio.gather(*(store.read(NAME) for _ in range(50)))) == {DATA}


async def test_a_store_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(ChunkStoreError):
        FolderChunkStore.open(tmp_path / "file" / "chunks")
