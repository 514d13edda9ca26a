from datetime import UTC, datetime, timedelta
from pathlib import Path

from immuni.framework import RETENTION, Store
from immuni.framework.store.results import TAG_LENGTH, DetectionKind
from tests.unit.framework.phones import NOON, open_store
from tests.unit.framework.store.samples import a_tag, a_tek, a_window, an_exposure

HOUR = timedelta(hours=1)


def test_the_exposures_of_the_last_detection_that_found_any_are_returned(store: Store) -> None:
    store.results.add_exposures(NOON, [(a_tag(), an_exposure(1))])
    store.results.add_exposures(NOON, [(a_tag(), an_exposure(2)), (a_tag(), an_exposure(3))])
    store.results.add_exposures(NOON, [])
    store.results.add_windows(NOON, [a_window(a_tag())])

    assert store.results.latest_exposures() == [an_exposure(2), an_exposure(3)]


def test_the_windows_of_all_detections_are_returned(store: Store) -> None:
    first, second = a_tag(), a_tag()
    windows = [a_window(first, b"1"), a_window(first, b"2"), a_window(second, b"3")]

    store.results.add_windows(NOON, windows[:2])
    store.results.add_exposures(NOON, [(second, an_exposure())])
    store.results.add_windows(NOON + HOUR, windows[2:])

    assert store.results.windows() == windows


def test_detections_are_counted_by_utc_day_and_kind(store: Store) -> None:
    midnight = datetime(2020, 6, 11, tzinfo=UTC)
    store.results.add_exposures(midnight - timedelta(seconds=1), [])
    store.results.add_exposures(midnight, [])
    store.results.add_exposures(midnight + 23 * HOUR, [])
    store.results.add_windows(midnight, [])
    today = midnight.date()

    assert store.results.held_on(today - timedelta(days=1)) == 1
    assert store.results.held_on(today) == store.results.held_on(today, DetectionKind.V1) == 2
    assert store.results.held_on(today, DetectionKind.V2) == 1
    assert store.results.held_on(today + timedelta(days=1), DetectionKind.V2) == 0


def test_what_a_revoked_key_gave_is_taken_back_from_both_models(store: Store) -> None:
    revoked, other = a_tag(), a_tag()
    store.results.add_exposures(NOON, [(other, an_exposure(1)), (revoked, an_exposure(2))])
    store.results.add_windows(NOON, [a_window(revoked, b"gone"), a_window(other, b"stays")])

    store.results.take_back({revoked}, now=NOON)

    assert store.results.latest_exposures() == [an_exposure(1)]
    assert store.results.windows() == [a_window(other, b"stays")]
    assert store.results.held_on(NOON.date()) == 1
    assert store.results.held_on(NOON.date(), DetectionKind.V2) == 1


def test_when_all_of_the_last_detection_is_revoked_the_one_before_counts(store: Store) -> None:
    tag = a_tag()
    store.results.add_exposures(NOON, [(a_tag(), an_exposure(1))])
    store.results.add_exposures(NOON + HOUR, [(tag, an_exposure(2))])

    store.results.take_back([tag], now=NOON)

    assert store.results.latest_exposures() == [an_exposure(1)]


def test_a_key_that_is_published_again_counts_once(store: Store) -> None:
    again, other = a_tag(), a_tag()
    store.results.add_exposures(NOON, [(again, an_exposure(1))])
    store.results.add_windows(NOON, [a_window(again, b"former"), a_window(other, b"stays")])

    store.results.add_windows(NOON + HOUR, [a_window(again, b"present"), a_window(again, b"too")])

    blobs = [window.blob for window in store.results.windows()]
    assert blobs == [b"stays", b"present", b"too"]
    assert store.results.latest_exposures() == [an_exposure(1)]
    assert store.contents()["exposure"] == 4


def test_a_tag_is_the_same_after_a_restart_and_another_one_on_each_phone(tmp_path: Path) -> None:
    key = a_tek().key_data
    with open_store(tmp_path / "phone") as store:
        tag = store.results.tag_of(key)
        assert store.results.tag_of(key) == tag
        assert store.results.tag_of(a_tek().key_data) != tag
        assert len(tag) == TAG_LENGTH

    with open_store(tmp_path / "phone") as store, open_store(tmp_path / "other") as other:
        assert store.results.tag_of(key) == tag
        assert other.results.tag_of(key) != tag


def test_an_erased_phone_has_other_tags(store: Store) -> None:
    key = a_tek().key_data
    tag = store.results.tag_of(key)

    store.erase()

    assert store.results.tag_of(key) != tag


def test_a_tag_does_not_show_the_key(store: Store) -> None:
    key = a_tek().key_data
    tag = store.results.tag_of(key)

    store.results.add_exposures(NOON, [(tag, an_exposure())])

    assert store.contains_bytes(tag)
    assert not store.contains_bytes(key)


def test_results_go_after_fourteen_days_and_exposures_with_their_day(store: Store) -> None:
    cutoff = NOON - RETENTION
    old_day = NOON - RETENTION - timedelta(days=1)
    store.results.add_windows(cutoff - timedelta(seconds=1), [a_window(a_tag(), b"old detection")])
    store.results.add_windows(
        cutoff,
        [a_window(a_tag(), b"old day", day=old_day), a_window(a_tag(), b"stays", day=cutoff)],
    )

    store.purge(NOON)

    assert [window.blob for window in store.results.windows()] == [b"stays"]
    assert store.results.held_on(cutoff.date(), DetectionKind.V2) == 1


def test_a_revocation_is_remembered_for_as_long_as_any_sighting_lives(store: Store) -> None:
    revoked, other = a_tag(), a_tag()
    store.results.take_back([revoked, revoked], now=NOON)

    store.purge(NOON + RETENTION)
    assert store.results.revoked_among([revoked, other]) == {revoked}

    store.purge(NOON + RETENTION + timedelta(days=1))
    assert store.results.revoked_among([revoked, other]) == set()


def test_a_revocation_by_a_clock_that_ran_ahead_stays_and_goes_in_time(store: Store) -> None:
    tag = a_tag()
    store.results.take_back([tag], now=NOON + timedelta(days=1000))

    store.forget_after(NOON)
    assert store.results.revoked_among([tag]) == {tag}

    store.purge(NOON + RETENTION + timedelta(days=1))
    assert store.results.revoked_among([tag]) == set()
