import asyncio
from datetime import timedelta

import pytest

from immuni.backend.chunks import ChunkName, ChunkStoreError
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.packed_keys import teks_of, unpack_keys
from immuni.backend.publishing import store as publishing_store
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.reporting import store as reporting_store
from immuni.backend.reporting.rules import PublishedChunk, is_downloadable, told_index
from immuni.clock import ManualClock
from immuni.keys import ReportType, TemporaryExposureKey, day_of, first_interval_of, start_of
from tests.publishing import NOW, Press, all_key_data, keep_upload, keep_uploads, keys_of_days

TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
ILL = Diagnosis(TODAY - timedelta(days=4), None)

pytestmark = pytest.mark.anyio


async def test_uploaded_keys_are_published_once_and_leave_their_row(press: Press) -> None:
    keys = keys_of_days(YESTERDAY, days=5, seed="a")
    await keep_upload(press.database, keys, ILL)

    async with press.publisher() as publisher:
        first = await publisher.publish()
        second = await publisher.publish()

    exports = await press.published()
    assert (first.chunks, first.keys, second.chunks) == (1, 5, 0)
    assert all_key_data(exports) == sorted(key.key_data for key in keys)
    assert press.query("SELECT * FROM ingestion.upload") == []


async def test_a_file_tells_window_level_type_and_days_since_onset(press: Press) -> None:
    keys = keys_of_days(YESTERDAY, days=2, seed="a")
    await keep_upload(press.database, keys, ILL)

    async with press.publisher() as publisher:
        await publisher.publish()

    export = (await press.published())[1]
    assert export.region == "222"
    assert (export.start.isoformat(), export.end.isoformat()) == (
        "2020-06-20T08:00:00+00:00",
        "2020-06-20T12:00:00+00:00",
    )
    for key in export.keys:
        days = (day_of(key.tek.rolling_start_number) - (TODAY - timedelta(days=4))).days
        assert key.days_since_onset_of_symptoms == days
        assert key.report_type is ReportType.CONFIRMED_TEST
        assert key.transmission_risk_level == 8


async def test_a_key_waits_for_its_embargo_and_is_then_published(press: Press) -> None:
    clock = ManualClock(NOW)
    press.clock = clock
    keys = keys_of_days(TODAY, days=2, seed="a")
    await keep_upload(press.database, keys, ILL)

    async with press.publisher() as publisher:
        await publisher.publish()
        assert all_key_data(await press.published()) == [keys[1].key_data]
        clock.set(start_of(keys[0].rolling_end_number) + timedelta(hours=2, seconds=-1))
        assert (await publisher.publish()).chunks == 0
        clock.advance(timedelta(seconds=1))
        assert (await publisher.publish()).chunks == 1

    assert sorted(all_key_data(await press.published())) == sorted(k.key_data for k in keys)


async def test_a_key_released_during_its_day_counts_by_its_own_end(press: Press) -> None:
    released = TemporaryExposureKey(bytes(16), first_interval_of(TODAY), 6 * 10)
    early = TemporaryExposureKey(bytes(15) + b"\1", first_interval_of(TODAY), 6 * 10 + 1)
    await keep_upload(press.database, [released, early], ILL)

    async with press.publisher() as publisher:
        await publisher.publish()

    assert all_key_data(await press.published()) == [released.key_data]


async def test_of_one_upload_each_key_goes_its_own_way(press: Press) -> None:
    today, yesterday = keys_of_days(TODAY, days=2, seed="a")
    useless, outside = keys_of_days(TODAY - timedelta(days=15), days=2, seed="b")
    await keep_upload(press.database, [outside, today, useless, yesterday], ILL)

    async with press.publisher() as publisher:
        await publisher.publish()

    assert all_key_data(await press.published()) == [yesterday.key_data]
    ((packed,),) = press.query("SELECT packed_keys FROM ingestion.upload")
    assert teks_of(unpack_keys(packed)) == [today]


async def test_rows_of_keys_lie_in_the_order_of_their_bytes(press: Press) -> None:
    """Neither real and simulated keys nor those of one person lie together."""
    people = [keys_of_days(YESTERDAY, days=6, seed=str(person)) for person in range(5)]
    await keep_uploads(press.database, people, ILL)

    async with press.publisher(PublishingSettings()) as publisher:
        await publisher.publish()

    in_place = press.query("SELECT key_data FROM publishing.key ORDER BY ctid")
    assert in_place == sorted(in_place)
    assert press.query("SELECT count(DISTINCT xmin::text) FROM publishing.key") == [(1,)]


async def test_a_key_is_kept_as_its_chunk_tells_it(press: Press) -> None:
    await keep_upload(press.database, keys_of_days(YESTERDAY, days=5, seed="a"), ILL)

    async with press.publisher(PublishingSettings()) as publisher:
        await publisher.publish()

    (export,) = (await press.published()).values()
    rows = press.query(
        "SELECT key_data, rolling_start_number, rolling_period, transmission_risk_level,"
        " report_type, onset_on, origin, chunk_index FROM publishing.key ORDER BY key_data"
    )
    assert rows == [
        (
            key.tek.key_data,
            key.tek.rolling_start_number,
            key.tek.rolling_period,
            key.transmission_risk_level,
            key.report_type,
            day_of(key.tek.rolling_start_number)
            - timedelta(days=key.days_since_onset_of_symptoms or 0),
            "IT",
            1,
        )
        for key in export.keys
    ]


async def test_a_key_from_two_uploads_is_published_once(press: Press) -> None:
    keys = keys_of_days(YESTERDAY, days=3, seed="a")
    await keep_upload(press.database, keys, ILL)
    await keep_upload(press.database, keys[:2], ILL)

    async with press.publisher() as publisher:
        await publisher.publish()
        await keep_upload(press.database, keys, ILL)
        again = await publisher.publish()

    assert again.chunks == 0
    assert len(all_key_data(await press.published())) == 3
    assert press.query("SELECT * FROM ingestion.upload") == []


async def test_a_key_of_no_use_is_never_published(press: Press) -> None:
    ended = NOW.replace(hour=0, minute=0, second=0) - timedelta(days=14)
    useless = TemporaryExposureKey(bytes(16), first_interval_of(ended.date() - timedelta(days=1)))
    await keep_upload(press.database, [useless], Diagnosis(ended.date(), None))

    async with press.publisher() as publisher:
        assert (await publisher.publish()).chunks == 0


async def test_a_run_takes_as_many_chunks_as_its_keys_need(press: Press) -> None:
    people = [keys_of_days(YESTERDAY, days=6, seed=str(person)) for person in range(170)]
    await keep_uploads(press.database, people, ILL)

    async with press.publisher() as publisher:
        published = await publisher.publish()

    exports = await press.published()
    assert list(exports) == [1, 2]
    assert published.keys == len(set(all_key_data(exports))) == 170 * 6
    assert all(len(export.keys) <= 1000 for export in exports.values())
    assert len({(export.start, export.end) for export in exports.values()}) == 1


async def test_two_publishers_at_once_publish_each_key_once(press: Press) -> None:
    people = [keys_of_days(YESTERDAY, days=5, seed=str(person)) for person in range(20)]
    await keep_uploads(press.database, people, ILL)

    async with press.publisher(seed="one") as one, press.publisher(seed="two") as two:
        runs = await asyncio.gather(*(each.publish() for each in [one, two] * 3))

    exports = await press.published()
    assert sum(run.chunks for run in runs) == 1
    assert len(all_key_data(exports)) == len(set(all_key_data(exports))) == 100
    assert list(exports) == [1]


async def test_a_run_that_was_missed_is_made_up_for(press: Press) -> None:
    clock = ManualClock(NOW)
    press.clock = clock
    keys = keys_of_days(YESTERDAY, days=3, seed="a")
    await keep_upload(press.database, keys, ILL)
    clock.advance(timedelta(days=3))

    async with press.publisher() as publisher:
        await publisher.publish()

    assert len(all_key_data(await press.published())) == 3


async def test_a_run_without_a_real_key_publishes_simulated_people_once_in_its_window(
    press: Press,
) -> None:
    clock = ManualClock(NOW)
    press.clock = clock
    settings = PublishingSettings()

    async with press.publisher(settings) as publisher:
        first = await publisher.publish()
        again = await publisher.publish()
        clock.advance(timedelta(hours=4))
        later = await publisher.publish()

    assert first.keys >= 140
    assert (first.chunks, again.chunks, later.chunks) == (1, 0, 1)
    assert list(await press.published()) == [1, 2]


async def test_simulated_people_alone_are_not_published_where_empty_runs_are_off(
    press: Press,
) -> None:
    clock = ManualClock(NOW)
    press.clock = clock
    settings = PublishingSettings(publish_empty_runs=False)
    await keep_upload(press.database, keys_of_days(YESTERDAY, days=5, seed="a"), ILL)

    async with press.publisher(settings) as publisher:
        assert (await publisher.publish()).chunks == 1
        assert press.query("SELECT * FROM ingestion.upload WHERE NOT simulated") == []
        assert press.query("SELECT * FROM ingestion.upload WHERE simulated") != []
        clock.advance(timedelta(days=1))
        assert (await publisher.publish()).chunks == 0


async def test_a_small_chunk_is_filled_up_and_its_fakes_are_kept_like_real_keys(
    press: Press,
) -> None:
    keys = keys_of_days(YESTERDAY, days=5, seed="a")
    await keep_upload(press.database, keys, ILL)

    async with press.publisher(PublishingSettings(padding_noise=0.0)) as publisher:
        await publisher.publish()

    (export,) = (await press.published()).values()
    assert 140 <= len(export.keys) < 140 + 14
    assert {key.key_data for key in keys} <= {key.tek.key_data for key in export.keys}
    assert press.query(
        "SELECT count(*), count(onset_on), count(DISTINCT origin) FROM publishing.key"
    ) == [(len(export.keys), len(export.keys), 1)]


async def test_fakes_wait_for_their_embargo_like_real_keys(press: Press) -> None:
    clock = ManualClock(NOW)
    press.clock = clock

    async with press.publisher(PublishingSettings()) as publisher:
        for _ in range(8):
            await publisher.publish()
            clock.advance(timedelta(hours=4))

    exports = await press.published()
    starts = [key.tek.rolling_start_number for each in exports.values() for key in each.keys]
    assert len(exports) == 8
    assert first_interval_of(TODAY) in starts
    for index, export in exports.items():
        ends = [start_of(key.tek.rolling_end_number) for key in export.keys]
        assert max(ends) + timedelta(hours=2) <= NOW + (index - 1) * timedelta(hours=4)


async def test_a_store_that_fails_leaves_the_keys_for_the_next_run(press: Press) -> None:
    keys = keys_of_days(YESTERDAY, days=5, seed="a")
    await keep_upload(press.database, keys, ILL)
    chunks = press.chunks

    async with press.publisher(chunks=chunks) as publisher:
        (press.folder / "chunks").rmdir()
        with pytest.raises(ChunkStoreError):
            await publisher.publish()
        (press.folder / "chunks").mkdir()
        await publisher.publish()

    exports = await press.published()
    assert list(exports) == [1]
    assert len(all_key_data(exports)) == 5


async def test_after_a_clock_was_ahead_no_number_that_phones_are_told_of_is_gone(
    press: Press,
) -> None:
    clock = ManualClock(NOW)
    press.clock = clock
    async with press.publisher() as publisher:
        for number, ahead in enumerate((0, 30, 0, 0, 0)):
            clock.set(NOW + timedelta(hours=number * 8 + ahead))
            await keep_upload(
                press.database, keys_of_days(YESTERDAY, days=2, seed=str(number)), ILL
            )
            assert (await publisher.publish()).chunks == 1

    rows = press.query("SELECT index, digest, size_bytes, window_end FROM publishing.chunk")
    chunks = [PublishedChunk(ChunkName(*row[:2]), *row[2:]) for row in sorted(rows)]
    retention = timedelta(days=14)
    for hours in range(24 * 17):
        now = NOW + timedelta(hours=hours)
        if told := told_index(chunks, now=now, retention=retention).index:
            for chunk in chunks[told.oldest - 1 : told.newest]:
                assert is_downloadable(chunk, now=now, retention=retention)


def test_publishing_wakes_whom_reporting_listens_to() -> None:
    assert publishing_store.CHANNEL == reporting_store.CHANNEL
