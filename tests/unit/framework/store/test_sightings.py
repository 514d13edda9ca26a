from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from immuni.ble import AdvertisementHeard
from immuni.crypto import AEM, RPI
from immuni.framework import Store
from immuni.framework.store.encrypted_database import StoreError
from immuni.framework.store.scans import LONGEST_SPAN_SECONDS, MOST_SIGHTINGS
from immuni.framework.store.sightings import sightings_of
from immuni.matching import PackedSightings, Sighting
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.samples import ADDRESS, a_sighting, some_scans

SECOND = timedelta(seconds=1)

instants = st.one_of(
    st.integers(min_value=0, max_value=2**32).map(lambda s: datetime.fromtimestamp(s, UTC)),
    # Close to each other, so that scans share rows, seconds and days.
    st.integers(min_value=-600, max_value=600).map(lambda s: NOON.replace(hour=0) + s * SECOND),
)
sightings = st.builds(
    Sighting,
    st.binary(min_size=16, max_size=16).map(RPI),
    st.one_of(st.none(), st.binary(min_size=4, max_size=4).map(AEM)),
    st.integers(min_value=-127, max_value=126),
    instants,
    st.one_of(st.none(), st.integers(min_value=0, max_value=2**20).map(lambda s: s * SECOND)),
)


def in_time(sighting: Sighting) -> datetime:
    return sighting.seen_at


def emptied(store: Store) -> Store:
    store._database.execute("DELETE FROM scan")
    return store


@given(st.lists(sightings, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sightings_come_back_as_they_were_in_the_order_of_time(
    store: Store, heard: list[Sighting]
) -> None:
    emptied(store).sightings.add(heard)

    kept = store.sightings.all()

    assert isinstance(kept, PackedSightings)
    assert list(kept) == sorted(heard, key=in_time)
    assert store.contents()["sighting"] == len(heard)


@given(st.lists(sightings, max_size=20), instants)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_at_any_second_leaves_exactly_one_side(
    store: Store, heard: list[Sighting], instant: datetime
) -> None:
    expected = sorted(heard, key=in_time)

    emptied(store).sightings.add(heard)
    store.sightings.purge(instant)
    assert list(store.sightings.all()) == [each for each in expected if each.seen_at >= instant]

    emptied(store).sightings.add(heard)
    store.sightings.forget_after(instant)
    assert list(store.sightings.all()) == [each for each in expected if each.seen_at <= instant]


def test_a_cut_within_a_scan_keeps_the_second_of_the_cut(store: Store) -> None:
    scan = [a_sighting(NOON + second * SECOND) for second in range(5)]
    store.sightings.add(scan)
    assert store._database.execute("SELECT count(*) FROM scan") == [(1,)]

    store.sightings.purge(scan[1].seen_at)
    assert list(store.sightings.all()) == scan[1:]

    store.sightings.forget_after(scan[3].seen_at)
    assert list(store.sightings.all()) == scan[1:4]


def test_the_time_since_the_scan_before_is_told_of_every_sighting_of_a_scan(store: Store) -> None:
    store.sightings.add([a_sighting(), a_sighting()], since_scan=timedelta(seconds=249.6))

    assert [each.since_scan for each in store.sightings.all()] == [250 * SECOND] * 2


def test_times_are_kept_to_the_second(store: Store) -> None:
    store.sightings.add([a_sighting(NOON + timedelta(microseconds=999_999))])

    assert [each.seen_at for each in store.sightings.all()] == [NOON]


def test_scans_of_one_second_do_not_take_each_others_place(store: Store) -> None:
    first, second = [a_sighting(), a_sighting()], [a_sighting()]
    store.sightings.add(first)
    store.sightings.add(second)

    assert list(store.sightings.all()) == first + second


def test_a_crowd_and_a_long_scan_are_kept_in_several_rows(store: Store) -> None:
    crowd = [a_sighting() for _ in range(3 * MOST_SIGHTINGS + 1)]
    begin = LONGEST_SPAN_SECONDS + 1
    seconds = [begin, begin + LONGEST_SPAN_SECONDS, begin + LONGEST_SPAN_SECONDS + 1]
    long = [a_sighting(NOON + second * SECOND) for second in seconds]

    store.sightings.add(crowd + long)

    assert list(store.sightings.all()) == crowd + long
    assert store._database.execute("SELECT count(*) FROM scan") == [(6,)]


def test_every_identifier_of_a_crowd_can_be_searched_for(store: Store) -> None:
    crowd = [a_sighting() for _ in range(5 * MOST_SIGHTINGS)]
    store.sightings.add(crowd)

    assert all(store.contains_bytes(sighting.rpi) for sighting in crowd)


def test_what_is_kept_of_an_advertisement_is_not_its_address() -> None:
    heard_at = NOON + timedelta(seconds=3, microseconds=7)
    heard = AdvertisementHeard(b"R" * 16 + b"meta", -80, heard_at, ADDRESS)
    odd = AdvertisementHeard(b"R" * 16 + b"metadata", -80, heard_at, ADDRESS)
    malformed = AdvertisementHeard(b"R" * 15, -80, heard_at, ADDRESS)

    kept = sightings_of([heard, odd, malformed])

    at = NOON + timedelta(seconds=3)
    assert kept == [
        Sighting(RPI(b"R" * 16), AEM(b"meta"), -80, at),
        Sighting(RPI(b"R" * 16), None, -80, at),
    ]


def test_a_sighting_without_usable_metadata_is_kept_as_unusable(store: Store) -> None:
    heard = [a_sighting(), a_sighting(has_aem=False), a_sighting()]

    store.sightings.add(heard)

    assert [each.aem is None for each in store.sightings.all()] == [False, True, False]


def test_sightings_of_a_scan_are_kept_all_or_none(store: Store) -> None:
    impossible = a_sighting()
    object.__setattr__(impossible, "rpi", b"short")
    far_apart = a_sighting(NOON - timedelta(hours=1))

    with pytest.raises(StoreError):
        store.sightings.add([far_apart, impossible])

    assert list(store.sightings.all()) == []


@pytest.mark.parametrize("sightings_each", [1, 5, 50])
def test_a_sighting_takes_little_room(tmp_path: Path, sightings_each: int) -> None:
    with open_store(tmp_path / "phone") as store:
        for _ in range(2):
            scans = some_scans(5000 // sightings_each, sightings_each=sightings_each)
            store.sightings.add(scans)
        store._database.checkpoint()
        size = (tmp_path / "phone" / "store.db").stat().st_size

        assert size / store.contents()["sighting"] < 60
