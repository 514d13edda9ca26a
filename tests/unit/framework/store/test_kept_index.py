"""The index of sightings that lasts from one detection to the next."""

import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from immuni.crypto import derive_rpik, generate_rpi
from immuni.framework import RETENTION, Store
from immuni.framework.store.encrypted_database import EncryptedDatabase, Row, StoreError
from immuni.keys import (
    DiagnosisKey,
    PackedKeys,
    ReportType,
    TemporaryExposureKey,
    first_interval_of,
    interval_at,
)
from immuni.matching import PackedSightings, Sighting, places_heard, recognise
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.samples import a_sighting, some_scans

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def a_key_of(seen_at: datetime) -> DiagnosisKey:
    day = first_interval_of(seen_at.date())
    tek = TemporaryExposureKey(day.to_bytes(16), day)
    return DiagnosisKey(tek, 4, ReportType.CONFIRMED_TEST, 1)


def heard_of(key: DiagnosisKey, seen_at: datetime) -> Sighting:
    rpi = generate_rpi(derive_rpik(key.tek), interval_at(seen_at))
    return Sighting(rpi, None, -60, seen_at)


KEYS = PackedKeys(a_key_of(NOON - days * DAY) for days in range(-1, 17))


def an_acquaintance(seen_at: datetime) -> Sighting:
    """Return what is heard at a time of the phone whose keys are published."""
    return heard_of(a_key_of(seen_at), seen_at)


def found_in(store: Store) -> list[Sighting]:
    """Return what a detection finds out by way of the index, the oldest first."""
    log = store.sightings
    with log.index() as index:
        assert len(index) >= len(log.all())
        sightings = log.scans_of(places_heard(KEYS, index))
    return known_among(sightings)


def there_are(store: Store) -> list[Sighting]:
    """Return what a detection finds that looks at all sightings."""
    return known_among(store.sightings.all())


def known_among(sightings: PackedSightings) -> list[Sighting]:
    found = [sightings[match.sighting_index] for match in recognise(KEYS, sightings)]
    return sorted(found, key=lambda sighting: sighting.seen_at)


class Reading:
    """How many rows of scans were read."""

    def __init__(self) -> None:
        self.rows = 0


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reading]:
    reading = Reading()
    rows = EncryptedDatabase.rows

    def counting(self: EncryptedDatabase, sql: str, values: Sequence[object] = ()) -> Iterator[Row]:
        for row in rows(self, sql, values):  # type: ignore[arg-type]
            reading.rows += "FROM scan" in sql
            yield row

    with monkeypatch.context() as patch:
        patch.setattr(EncryptedDatabase, "rows", counting)
        yield reading


def test_a_later_detection_reads_only_what_was_heard_since(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.sightings.add(some_scans(200, end=NOON))
    store.sightings.add([an_acquaintance(NOON + MINUTE)])
    assert len(found_in(store)) == 1
    store.sightings.add([an_acquaintance(NOON + 5 * MINUTE)])

    with counted(monkeypatch) as reading, store.sightings.index() as index:
        places = places_heard(KEYS, index)
    assert reading.rows == 1
    with counted(monkeypatch) as reading:
        assert len(store.sightings.scans_of(places)) == 2
    assert reading.rows == 2


def test_what_is_heard_between_detections_is_found_by_the_next(store: Store) -> None:
    for minute in range(5):
        store.sightings.add([a_sighting(NOON + minute * MINUTE)])
        store.sightings.add([an_acquaintance(NOON + minute * MINUTE)])
        assert [each.seen_at for each in found_in(store)] == [
            NOON + earlier * MINUTE for earlier in range(minute + 1)
        ]


def test_what_is_more_than_fourteen_days_old_leaves_the_index_with_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, recent = an_acquaintance(NOON - RETENTION), an_acquaintance(NOON - DAY)
    store.sightings.add([old, recent, *some_scans(20, end=NOON - 2 * DAY)])
    assert found_in(store) == [old, recent]

    store.purge(NOON + 10 * MINUTE)

    with counted(monkeypatch) as reading, store.sightings.index() as index:
        assert len(index) == 101
    assert reading.rows == 0
    assert found_in(store) == [recent]


def test_a_scan_that_a_cut_goes_through_is_found_as_far_as_it_is_left(store: Store) -> None:
    scan = [an_acquaintance(NOON + second * SECOND) for second in range(4)]
    store.sightings.add([*scan, an_acquaintance(NOON + DAY)])
    assert len(found_in(store)) == 5

    store.sightings.purge(NOON + 2 * SECOND)

    assert found_in(store) == [*scan[2:], an_acquaintance(NOON + DAY)]


def test_what_a_clock_that_was_set_back_dates_earlier_is_found(store: Store) -> None:
    store.sightings.add([a_sighting(NOON)])
    found_in(store)

    store.sightings.add([an_acquaintance(NOON - SECOND)])

    assert found_in(store) == [an_acquaintance(NOON - SECOND)]


def test_what_is_dated_too_late_is_forgotten_and_its_time_is_used_again(store: Store) -> None:
    store.sightings.add([an_acquaintance(NOON), an_acquaintance(NOON + DAY)])
    found_in(store)

    store.forget_after(NOON + MINUTE)
    assert found_in(store) == [an_acquaintance(NOON)]
    store.sightings.add([an_acquaintance(NOON + DAY)])
    assert found_in(store) == [an_acquaintance(NOON), an_acquaintance(NOON + DAY)]


def test_a_deletion_that_fails_takes_nothing_out_of_the_index(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.sightings.add([an_acquaintance(NOON - RETENTION)])
    found_in(store)

    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store.results, "purge", fail)
        with pytest.raises(StoreError):
            store.purge(NOON + MINUTE)

    assert found_in(store) == there_are(store) == [an_acquaintance(NOON - RETENTION)]


def test_after_everything_was_deleted_nothing_is_found(store: Store) -> None:
    store.sightings.add([an_acquaintance(NOON)])
    found_in(store)

    store.erase()
    assert found_in(store) == []
    store.sightings.add([an_acquaintance(NOON + MINUTE)])
    assert found_in(store) == [an_acquaintance(NOON + MINUTE)]


def test_a_phone_that_was_started_anew_finds_what_it_heard_before(tmp_path: Path) -> None:
    with open_store(tmp_path / "phone") as store:
        store.sightings.add([an_acquaintance(NOON)])
        found_in(store)
        store.sightings.add([an_acquaintance(NOON + MINUTE)])
    with open_store(tmp_path / "phone") as store:
        assert len(found_in(store)) == 2


def test_what_is_deleted_during_a_search_hides_nothing_that_is_left(store: Store) -> None:
    scan = [an_acquaintance(NOON + second * SECOND) for second in range(4)]
    store.sightings.add(scan)

    with store.sightings.index() as index:
        places = places_heard(KEYS, index)
        store.sightings.purge(NOON + 2 * SECOND)
        assert len(index) == 4
        assert list(store.sightings.scans_of(places)) == scan[2:]

    assert found_in(store) == scan[2:]


class CancelledError(BaseException):
    pass


def test_the_index_of_a_cancelled_search_is_left_to_its_thread(store: Store) -> None:
    store.sightings.add([an_acquaintance(NOON), an_acquaintance(NOON + DAY)])
    with pytest.raises(CancelledError), store.sightings.index() as index:  # noqa: PT012
        left = index
        raise CancelledError

    store.sightings.purge(NOON + 10 * MINUTE)

    assert len(left) == 2
    assert found_in(store) == [an_acquaintance(NOON + DAY)]


def test_neither_taking_sightings_in_nor_keeping_them_takes_a_value_of_each(store: Store) -> None:
    count = 20_000
    store.sightings.add(some_scans(count // 5, sightings_each=5))
    tracemalloc.start()
    try:
        with store.sightings.index() as index:
            assert len(index) == count
            native = index.size_bytes
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert native <= 32 * count
    assert most <= 40 * count
    assert kept <= 8 * count


moments = st.integers(0, 3000).map(lambda minute: NOON - 14 * DAY + minute * MINUTE)
scans = st.lists(moments.flatmap(lambda at: st.sampled_from([an_acquaintance(at), a_sighting(at)])))
changes = st.lists(
    st.tuples(st.sampled_from(["add", "add", "purge", "forget_after", "undo"]), moments, scans),
    max_size=12,
)


@given(changes)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_becomes_of_the_log_the_index_finds_what_looking_at_all_would(
    store: Store, changes: list[tuple[str, datetime, list[Sighting]]]
) -> None:
    log = store.sightings
    log.forget_after(NOON - 1000 * DAY)
    for change, at, heard in changes:
        match change:
            case "add":
                log.add(heard)
            case "purge":
                log.purge(at)
            case "forget_after":
                log.forget_after(at)
            case _:
                undone(store, at, heard)
        assert found_in(store) == there_are(store)


def undone(store: Store, at: datetime, heard: list[Sighting]) -> None:
    """Delete and add, and let it all come to nothing."""
    before = store.sightings.all()
    with pytest.raises(RuntimeError), store._database.transaction():  # noqa: PT012
        store.sightings.purge(at)
        store.sightings.add(heard)
        raise RuntimeError
    assert store.sightings.all() == before
