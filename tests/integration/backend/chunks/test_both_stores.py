"""A folder and a bucket behave alike, the bucket on a real S3 server."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from immuni.backend.chunks import (
    ChunkDamagedError,
    ChunkMissingError,
    ChunkName,
    ChunkStore,
    ChunkStoreError,
    ChunkStoreSettings,
)
from immuni.backend.infectiousness import Diagnosis
from immuni.deployment.databases import ServicesDatabase
from tests.integration.backend.chunks.conftest import FILES_IN_A_LISTING
from tests.publishing import NOW, Press, all_key_data, keep_upload, keys_of_days

pytestmark = pytest.mark.anyio

DATA = b"chunk " * 100_000
NAME = ChunkName.of(7, DATA)


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ChunkStore:
    if request.param == "bucket":
        settings: ChunkStoreSettings = request.getfixturevalue("bucket")
        return settings.open(tmp_path)
    return ChunkStoreSettings().open(tmp_path / "chunks")


async def test_what_was_written_is_read_and_listed_by_index(store: ChunkStore) -> None:
    names = [ChunkName.of(index, DATA) for index in (10, 2, 1)]
    for name in names:
        await store.write(name, DATA)

    assert await store.names() == sorted(names)
    assert await store.read(names[0]) == DATA


async def test_the_same_file_may_be_written_again(store: ChunkStore) -> None:
    await store.write(NAME, DATA)
    await store.write(NAME, DATA)

    assert await store.names() == [NAME]


async def test_other_bytes_are_never_written_under_a_name(store: ChunkStore) -> None:
    with pytest.raises(ChunkDamagedError):
        await store.write(NAME, b"other")

    assert await store.names() == []


async def test_a_file_that_is_gone_is_missing_and_may_be_deleted_again(store: ChunkStore) -> None:
    await store.write(NAME, DATA)
    await store.delete(NAME)
    await store.delete(NAME)

    assert await store.names() == []
    with pytest.raises(ChunkMissingError):
        await store.read(NAME)


async def test_more_files_than_one_listing_holds_are_all_listed(bucket: ChunkStoreSettings) -> None:
    store = bucket.open(Path())
    names = [ChunkName.of(index, b"small") for index in range(1, 2 * FILES_IN_A_LISTING + 2)]
    await asyncio.gather(*(store.write(name, b"small") for name in names))

    assert await store.names() == names


async def test_prefixes_of_one_bucket_do_not_see_each_other(bucket: ChunkStoreSettings) -> None:
    other = replace(bucket, chunk_store=bucket.chunk_store + "-elsewhere").open(Path())
    await other.write(NAME, DATA)

    assert await bucket.open(Path()).names() == []


async def test_a_damaged_object_is_not_handed_out(bucket: ChunkStoreSettings) -> None:
    store = bucket.open(Path())
    await store.write(NAME, DATA)
    await store._bucket.put_async(NAME.file_name, b"damaged")  # type: ignore[attr-defined]  # behind its back

    with pytest.raises(ChunkDamagedError):
        await store.read(NAME)
    with pytest.raises(ChunkDamagedError):
        await store.write(NAME, DATA)


async def test_a_bucket_that_is_not_there_is_told(bucket: ChunkStoreSettings) -> None:
    store = replace(bucket, chunk_store="s3://no-such-bucket/published").open(Path())

    with pytest.raises(ChunkStoreError):
        await store.write(NAME, DATA)
    with pytest.raises(ChunkStoreError):
        await store.names()


async def test_a_store_that_does_not_answer_is_told(bucket: ChunkStoreSettings) -> None:
    store = replace(bucket, s3_endpoint="http://127.0.0.1:1").open(Path())

    with pytest.raises(ChunkStoreError):
        await store.names()


async def test_keys_are_published_to_a_bucket(
    bucket: ChunkStoreSettings, tmp_path: Path, services_database: ServicesDatabase
) -> None:
    press, chunks = Press(tmp_path, services_database), bucket.open(tmp_path)
    yesterday = NOW.date().replace(day=NOW.day - 1)
    keys = keys_of_days(yesterday, days=5, seed="a")
    await keep_upload(services_database, keys, Diagnosis(NOW.date().replace(day=NOW.day - 4), None))

    async with press.publisher(chunks=chunks) as publisher:
        await publisher.publish()
        again = await publisher.publish()

    exports = await press.published(chunks)
    assert (again.chunks, list(exports)) == (0, [1])
    assert all_key_data(exports) == sorted(key.key_data for key in keys)


def test_the_login_of_a_store_never_shows(bucket: ChunkStoreSettings) -> None:
    assert "not-a-word-of-it" not in repr(bucket) + repr(bucket.open(Path()))
