from datetime import timedelta

import psycopg
import pytest

from immuni.backend.chunks import ChunkName
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.publishing.recovery import ForeignChunkError
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.clock import ManualClock
from immuni.export import Export, write_export
from immuni.keys import DiagnosisKey
from tests.publishing import NOW, Press, all_key_data, keep_upload, keys_of_days

YESTERDAY = NOW.date() - timedelta(days=1)
ILL = Diagnosis(NOW.date() - timedelta(days=4), None)

pytestmark = pytest.mark.anyio


def file_of(keys: list[DiagnosisKey], signer: LocalKeySigner, *, hours_later: int = 0) -> bytes:
    end = NOW.replace(second=0) + timedelta(hours=hours_later)
    export = Export(start=end - timedelta(hours=4), end=end, region="222", keys=keys)
    return write_export(export, [signer])


def diagnosis_keys(seed: str) -> list[DiagnosisKey]:
    return [
        DiagnosisKey(tek, days_since_onset_of_symptoms=0)
        for tek in keys_of_days(YESTERDAY, days=3, seed=seed)
    ]


async def test_a_database_restored_from_a_backup_takes_over_the_newer_chunks(press: Press) -> None:
    clock = ManualClock(NOW)
    press.clock = clock
    people = [keys_of_days(YESTERDAY, days=4, seed=str(number)) for number in range(3)]
    for keys in people:
        await keep_upload(press.database, keys, ILL)
        async with press.publisher() as publisher:
            await publisher.publish()
        clock.advance(timedelta(hours=4))
    before = await press.published()
    with psycopg.connect(press.database.owner) as connection:
        connection.execute("DELETE FROM publishing.chunk WHERE index > 1")
        connection.execute("DELETE FROM publishing.key WHERE chunk_index > 1")
        connection.execute("UPDATE publishing.progress SET newest_index = 1")
    # The backup was made before these were published, so they wait in it.
    await keep_upload(press.database, people[1], ILL)
    await keep_upload(press.database, people[2], ILL)

    async with press.publisher() as publisher:
        run = await publisher.publish()

    assert (run.adopted, run.removed, run.chunks) == (2, 0, 0)
    assert await press.published() == before
    assert press.query("SELECT * FROM ingestion.upload") == []
    assert press.query("SELECT newest_index FROM publishing.progress") == [(3,)]


async def test_numbers_go_on_after_every_chunk_has_expired(press: Press) -> None:
    for seed in ("a", "b"):
        await keep_upload(press.database, keys_of_days(YESTERDAY, days=2, seed=seed), ILL)
        async with press.publisher() as publisher:
            await publisher.publish()
        with psycopg.connect(press.database.owner) as connection:
            connection.execute("DELETE FROM publishing.chunk")
        for name in await press.chunks.names():
            await press.chunks.delete(name)

    assert press.query("SELECT newest_index FROM publishing.progress") == [(2,)]


async def test_a_torn_file_is_removed_and_its_keys_are_published(press: Press) -> None:
    keys = keys_of_days(YESTERDAY, days=3, seed="a")
    await keep_upload(press.database, keys, ILL)
    torn = ChunkName.of(1, b"whole")
    press.chunks._folder.joinpath(torn.file_name).write_bytes(b"half")

    async with press.publisher() as publisher:
        run = await publisher.publish()

    assert (run.removed, run.chunks) == (1, 1)
    assert sorted(all_key_data(await press.published())) == sorted(k.key_data for k in keys)


async def test_a_file_that_was_written_by_a_clock_ahead_is_removed_and_its_keys_wait(
    press: Press,
) -> None:
    yesterday, today = keys_of_days(NOW.date(), days=2, seed="a")[::-1]
    await keep_upload(press.database, [yesterday, today], ILL)
    early = file_of([DiagnosisKey(yesterday), DiagnosisKey(today)], press.signer, hours_later=24)
    await press.chunks.write(ChunkName.of(1, early), early)

    async with press.publisher() as publisher:
        run = await publisher.publish()

    assert (run.adopted, run.removed, run.chunks) == (0, 1, 1)
    assert all_key_data(await press.published()) == [yesterday.key_data]


async def test_a_file_whose_keys_are_in_another_chunk_is_removed(press: Press) -> None:
    teks = keys_of_days(YESTERDAY, days=3, seed="a")
    await keep_upload(press.database, teks, ILL)
    async with press.publisher() as publisher:
        await publisher.publish()
    again = file_of([DiagnosisKey(tek) for tek in teks], press.signer, hours_later=4)
    await press.chunks.write(ChunkName.of(2, again), again)

    async with press.publisher() as publisher:
        run = await publisher.publish()

    assert (run.adopted, run.removed) == (0, 1)
    assert list(await press.published()) == [1]


async def test_of_two_files_with_one_number_one_stays(press: Press) -> None:
    for seed in ("a", "b"):
        data = file_of(diagnosis_keys(seed), press.signer)
        await press.chunks.write(ChunkName.of(1, data), data)

    async with press.publisher() as publisher:
        run = await publisher.publish()

    assert (run.adopted, run.removed) == (1, 1)
    assert list(await press.published()) == [1]


async def test_a_file_that_we_did_not_sign_stops_publishing_and_stays(press: Press) -> None:
    foreign = press.folder / "foreign.pem"
    create_signing_key(foreign)
    data = file_of(diagnosis_keys("a"), LocalKeySigner.read(foreign, key_id="222"))
    name = ChunkName.of(1, data)
    await press.chunks.write(name, data)

    async with press.publisher() as publisher:
        with pytest.raises(ForeignChunkError, match="chunk 1"):
            await publisher.publish()

    assert await press.chunks.names() == [name]
    assert press.query("SELECT * FROM publishing.chunk") == []
