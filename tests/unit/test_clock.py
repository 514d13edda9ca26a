"""Clocks that somebody moves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from immuni.clock import ManualClock, MovedClock
from immuni.deployment.settings import DeploymentSettings
from immuni.settings import SettingsError

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_all_who_read_one_file_see_the_same_moved_time_which_goes_on(tmp_path: Path) -> None:
    machine = ManualClock(NOON)
    mover, reader = (MovedClock(tmp_path / "clock", machine) for _ in range(2))
    assert mover.now() == reader.now() == NOON

    mover.set(NOON + 8 * HOUR)
    assert reader.now() == NOON + 8 * HOUR

    machine.advance(HOUR)
    assert reader.now() == mover.now() == NOON + 9 * HOUR


def test_a_moved_clock_never_goes_back(tmp_path: Path) -> None:
    clock = MovedClock(tmp_path / "clock", ManualClock(NOON))
    clock.set(NOON + HOUR)

    clock.set(NOON)

    assert clock.now() == NOON + HOUR


def test_nobody_moves_the_clock_of_services_that_others_can_reach(tmp_path: Path) -> None:
    machine, file = ManualClock(NOON), tmp_path / "clock"
    MovedClock(file, machine).set(NOON + HOUR)

    assert DeploymentSettings().clock(machine) is machine
    assert DeploymentSettings(demonstration_clock=file).clock(machine).now() == NOON + HOUR
    with pytest.raises(SettingsError, match="only with bind_host"):
        DeploymentSettings(demonstration_clock=file, bind_host="0.0.0.0").clock(machine)  # noqa: S104 - refused
