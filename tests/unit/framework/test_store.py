import secrets
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from immuni.ble import AdvertisementHeard
from immuni.crypto import AEM, RPI
from immuni.entropy import SystemEntropy
from immuni.framework import RETENTION, Store, StoreLockedError
from immuni.framework.encrypted_database import StoreError
from immuni.framework.own_keys import Broadcast
from immuni.framework.schema import NewerStoreError
from immuni.framework.sightings import sightings_of
from immuni.keys import ENIntervalNumber, TemporaryExposureKey, generate_tek, interval_at
from immuni.matching import Sighting
from immuni.risk import ExposureInfo
from tests.unit.framework.phones import NOON, open_store

EMPTY = {"tek": 0, "broadcast": 0, "sighting": 0, "detection": 0, "exposure": 0, "fact": 0}
ADDRESS = bytes.fromhex("010203040506")


def a_sighting(seen_at: datetime = NOON, *, aem: bytes = b"meta") -> Sighting:
    return Sighting(RPI(secrets.token_bytes(16)), AEM(aem), -70, seen_at)


def a_tek(seen_at: datetime = NOON) -> TemporaryExposureKey:
    return generate_tek(interval_at(seen_at), SystemEntropy())


def an_exposure(score: int = 25) -> ExposureInfo:
    return ExposureInfo(
        day=NOON.date(),
        duration_seconds=1800,
        attenuation_db=54,
        attenuation_durations_seconds=(0, 1800, 0),
        transmission_risk_level=3,
        total_risk_score=score,
    )


sightings = st.builds(
    Sighting,
    st.binary(min_size=16, max_size=16).map(RPI),
    st.binary(max_size=11).map(AEM),
    st.integers(min_value=-127, max_value=126),
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2090, 1, 1)).map(  # noqa: DTZ001
        lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
    ),
)


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.contents() == EMPTY


@given(st.lists(sightings, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sightings_come_back_as_they_were_in_the_order_of_time(
    store: Store, heard: list[Sighting]
) -> None:
    store.sightings.forget_after(datetime(1970, 1, 1, tzinfo=UTC))

    store.sightings.add(heard, since_scan=timedelta(seconds=250))

    assert store.sightings.all() == sorted(heard, key=lambda sighting: sighting.seen_at)


def test_scans_of_one_second_do_not_take_each_others_place(store: Store) -> None:
    first, second = [a_sighting(), a_sighting()], [a_sighting()]
    store.sightings.add(first)
    store.sightings.add(second)

    assert store.sightings.all() == first + second


def test_what_is_kept_of_an_advertisement_is_not_its_address() -> None:
    heard_at = NOON + timedelta(seconds=3, microseconds=7)
    heard = AdvertisementHeard(b"R" * 16 + b"meta", -80, heard_at, ADDRESS)
    malformed = AdvertisementHeard(b"R" * 15, -80, heard_at, ADDRESS)

    kept = sightings_of([heard, malformed])

    assert kept == [Sighting(RPI(b"R" * 16), AEM(b"meta"), -80, NOON + timedelta(seconds=3))]


def test_keys_and_broadcast_survive_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    with open_store(folder) as store:
        key = store.keys.add(a_tek())
        ends_at = NOON + timedelta(minutes=15, microseconds=1)
        broadcast = Broadcast(key, interval_at(NOON), ADDRESS, NOON, ends_at)
        store.keys.keep_broadcast(broadcast)

    with open_store(folder) as store:
        assert store.keys.all() == [key]
        assert store.keys.broadcast() == broadcast


def test_a_released_key_is_cut_and_its_broadcast_forgotten(store: Store) -> None:
    key = store.keys.add(a_tek())
    store.keys.keep_broadcast(Broadcast(key, interval_at(NOON), ADDRESS, NOON, NOON))
    cut = TemporaryExposureKey(key.tek.key_data, key.tek.rolling_start_number, 73)

    store.keys.release([type(key)(key.id, cut)])

    (released,) = store.keys.all()
    assert released.tek == cut
    assert released.released
    assert store.keys.broadcast() is None


def test_the_exposures_of_the_last_detection_that_found_any_are_returned(store: Store) -> None:
    store.results.add(NOON, [an_exposure(1)])
    store.results.add(NOON, [an_exposure(2), an_exposure(3)])
    store.results.add(NOON, [])

    assert store.results.latest_exposures() == [an_exposure(2), an_exposure(3)]


def test_detections_are_counted_by_utc_day(store: Store) -> None:
    midnight = datetime(2020, 6, 11, tzinfo=UTC)
    store.results.add(midnight - timedelta(seconds=1), [])
    store.results.add(midnight, [])
    store.results.add(midnight + timedelta(hours=23), [])

    assert store.results.held_on(midnight.date() - timedelta(days=1)) == 1
    assert store.results.held_on(midnight.date()) == 2
    assert store.results.held_on(midnight.date() + timedelta(days=1)) == 0


def test_purge_keeps_the_last_fourteen_days(store: Store) -> None:
    cutoff = NOON - RETENTION
    old, young = a_sighting(cutoff - timedelta(seconds=1)), a_sighting(cutoff)
    store.sightings.add([old, young])
    store.results.add(cutoff - timedelta(seconds=1), [an_exposure()])
    store.results.add(cutoff, [an_exposure()])

    store.purge(NOON)

    assert store.sightings.all() == [young]
    assert store.contents() == EMPTY | {"sighting": 1, "detection": 1, "exposure": 1}


def test_purge_keeps_keys_until_their_period_is_over_for_fourteen_days(store: Store) -> None:
    interval = interval_at(NOON)
    ended = TemporaryExposureKey(bytes(16), ENIntervalNumber(interval - 144), 144)
    running = TemporaryExposureKey(bytes(16), ENIntervalNumber(interval - 143), 144)
    for tek in (ended, running):
        store.keys.add(tek)

    store.purge(NOON + RETENTION)

    assert [key.tek for key in store.keys.all()] == [running]


def test_what_is_purged_leaves_no_bytes(store: Store) -> None:
    sightings = [a_sighting() for _ in range(500)]
    tek = a_tek()
    store.sightings.add(sightings)
    store.keys.add(tek)
    assert all(store.contains_bytes(sighting.rpi) for sighting in sightings[::50])
    assert store.contains_bytes(tek.key_data)

    store.purge(NOON + RETENTION + timedelta(days=1))

    assert store.contents() == EMPTY
    assert not any(store.contains_bytes(sighting.rpi) for sighting in sightings[::50])
    assert not store.contains_bytes(tek.key_data)


def test_without_secure_delete_the_bytes_would_stay(tmp_path: Path) -> None:
    """Without this control the test above would prove nothing."""
    with open_store(tmp_path / "phone", secure_delete=False) as store:
        sightings = [a_sighting() for _ in range(500)]
        store.sightings.add(sightings)

        store.purge(NOON + RETENTION + timedelta(days=1))

        assert store.contents() == EMPTY
        assert any(store.contains_bytes(sighting.rpi) for sighting in sightings)


def test_no_identifier_stands_in_the_clear_on_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    sighting, tek = a_sighting(), a_tek()
    with open_store(folder) as store:
        store.sightings.add([sighting])
        store.keys.add(tek)

        on_disk = b"".join(file.read_bytes() for file in folder.iterdir())

        assert store.contains_bytes(sighting.rpi)
        assert bytes(sighting.rpi) not in on_disk
        assert tek.key_data not in on_disk


def test_what_was_kept_survives_the_end_of_the_process(tmp_path: Path) -> None:
    with open_store(tmp_path / "phone") as store:
        store.sightings.add([a_sighting()])
        # What is on the disk now is what a killed process would leave.
        shutil.copytree(tmp_path / "phone", tmp_path / "left")

    with open_store(tmp_path / "left") as store:
        assert store.contents()["sighting"] == 1


def test_an_erased_store_is_empty_and_has_a_key_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    with open_store(folder) as store:
        sighting = a_sighting()
        store.sightings.add([sighting])
        store.keep_fact("name", "value")
        key = (folder / "key").read_bytes()

        store.erase()

        assert store.contents() == EMPTY
        assert not store.contains_bytes(sighting.rpi)
        assert store.fact("name") is None
        assert (folder / "key").read_bytes() != key


def test_a_store_without_its_key_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    with open_store(folder) as store:
        store.sightings.add([a_sighting()])
    key = (folder / "key").read_bytes()
    (folder / "key").unlink()

    with pytest.raises(StoreLockedError, match="no key"):
        open_store(folder)

    (folder / "key").write_bytes(key)
    (folder / "key").chmod(0o600)
    with open_store(folder) as store:
        assert store.contents()["sighting"] == 1


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    with open_store(folder) as store:
        store._database.execute("PRAGMA user_version = 99")

    with pytest.raises(NewerStoreError, match="99"):
        open_store(folder)


def test_a_sighting_takes_little_room(store: Store) -> None:
    heard = [
        a_sighting(NOON + timedelta(seconds=second)) for second in range(2000) for _ in range(5)
    ]
    store.sightings.add(heard)
    store._database.checkpoint()

    assert store._path.stat().st_size / len(heard) < 60


def test_sightings_of_a_scan_are_kept_all_or_none(store: Store) -> None:
    impossible = a_sighting()
    object.__setattr__(impossible, "rssi_dbm", "loud")

    with pytest.raises(StoreError):
        store.sightings.add([a_sighting(), impossible])

    assert store.sightings.all() == []
