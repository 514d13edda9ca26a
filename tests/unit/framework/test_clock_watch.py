from datetime import timedelta
from pathlib import Path

from immuni.framework import Store
from immuni.framework.clock_watch import TOLERANCE, ClockWatch
from tests.unit.framework.phones import NOON, open_store

MINUTE = timedelta(minutes=1)


def test_time_that_passes_is_nothing_to_notice(store: Store) -> None:
    watch = ClockWatch(store)

    steps = [watch.notice(NOON + minutes * MINUTE) for minutes in range(100)]

    assert not any(steps)
    assert not watch.is_behind(NOON + 99 * MINUTE)


def test_a_step_back_is_noticed_once(store: Store) -> None:
    watch = ClockWatch(store)
    watch.notice(NOON)

    assert watch.notice(NOON - timedelta(days=1))
    assert not watch.notice(NOON - timedelta(days=1) + MINUTE)


def test_a_correction_of_seconds_is_no_step_back(store: Store) -> None:
    watch = ClockWatch(store)
    watch.notice(NOON)

    assert not watch.notice(NOON - timedelta(seconds=30))


def test_a_clock_that_was_turned_back_is_behind_until_its_time_comes(store: Store) -> None:
    watch = ClockWatch(store)
    watch.notice(NOON)

    assert not watch.is_behind(NOON - TOLERANCE)
    assert watch.is_behind(NOON - TOLERANCE - MINUTE)


def test_a_restart_does_not_hide_that_the_clock_was_turned_back(tmp_path: Path) -> None:
    with open_store(tmp_path / "phone") as store:
        ClockWatch(store).notice(NOON)

    with open_store(tmp_path / "phone") as store:
        watch = ClockWatch(store)

        assert watch.is_behind(NOON - timedelta(days=1))
        assert watch.notice(NOON - timedelta(days=1))


def test_a_clock_that_is_trusted_again_is_not_behind(store: Store) -> None:
    watch = ClockWatch(store)
    watch.notice(NOON + timedelta(days=3650))

    watch.trust(NOON)

    assert not watch.is_behind(NOON)
    assert not watch.notice(NOON)
    assert not ClockWatch(store).is_behind(NOON)
