import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.framework import RETENTION, Store, StoreLockedError
from immuni.framework.store.own_keys import Broadcast
from immuni.framework.store.schema import NewerStoreError
from immuni.keys import ENIntervalNumber, TemporaryExposureKey, interval_at
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.samples import ADDRESS, EMPTY, a_sighting, a_tag, a_tek, an_exposure


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.contents() == EMPTY


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


def test_a_released_key_stays_released_even_if_the_log_is_lost(tmp_path: Path) -> None:
    """The log is what a machine that loses its power may not have written yet."""
    folder = tmp_path / "phone"
    with open_store(folder) as store:
        store.keys.release([store.keys.add(a_tek())])
        shutil.copytree(folder, tmp_path / "left", ignore=shutil.ignore_patterns("*-wal"))

    with open_store(tmp_path / "left") as store:
        assert [key.released for key in store.keys.all()] == [True]


def test_a_pair_that_is_broadcast_is_known_even_if_the_log_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "phone"
    with open_store(folder) as store:
        key = store.keys.add(a_tek())
        store.keys.keep_broadcast(Broadcast(key, interval_at(NOON), ADDRESS, NOON, NOON))
        shutil.copytree(folder, tmp_path / "left", ignore=shutil.ignore_patterns("*-wal"))

    with open_store(tmp_path / "left") as store:
        assert store.keys.broadcast() is not None


def test_purge_keeps_the_last_fourteen_days(store: Store) -> None:
    cutoff = NOON - RETENTION
    old, young = a_sighting(cutoff - timedelta(seconds=1)), a_sighting(cutoff)
    store.sightings.add([old, young])
    store.results.add_exposures(cutoff - timedelta(seconds=1), [(a_tag(), an_exposure())])
    store.results.add_exposures(cutoff, [(a_tag(), an_exposure())])

    store.purge(NOON)

    assert list(store.sightings.all()) == [young]
    assert store.contents() == EMPTY | {"sighting": 1, "detection": 1, "exposure": 1}


def test_purge_keeps_keys_until_their_period_is_over_for_fourteen_days(store: Store) -> None:
    interval = interval_at(NOON)
    ended = TemporaryExposureKey(bytes(16), ENIntervalNumber(interval - 144), 144)
    running = TemporaryExposureKey(bytes(16), ENIntervalNumber(interval - 143), 144)
    for tek in (ended, running):
        store.keys.add(tek)

    store.purge(NOON + RETENTION)

    assert [key.tek for key in store.keys.all()] == [running]


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
