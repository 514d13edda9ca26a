from datetime import timedelta

import pytest

from immuni.app.record import AppRecord, CheckFailure
from immuni.app.schedule import (
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    is_session_due,
    next_session,
    sooner_after,
)
from immuni.entropy import SeededEntropy
from tests.unit.app.records import NOW

SECOND = timedelta(seconds=1)


def test_a_session_is_due_when_its_time_has_come_and_not_before() -> None:
    planned = AppRecord(next_session=NOW)

    assert is_session_due(AppRecord(), now=NOW)
    assert is_session_due(planned, now=NOW)
    assert is_session_due(planned, now=NOW + timedelta(days=3))
    assert not is_session_due(planned, now=NOW - SECOND)


def test_what_a_wrong_clock_has_planned_does_not_hold_sessions_up() -> None:
    planned = AppRecord(next_session=NOW + timedelta(days=365))

    assert is_session_due(planned, now=NOW)


def test_sessions_are_a_few_hours_apart_and_no_two_devices_keep_step() -> None:
    drawn = [next_session(now=NOW, entropy=SeededEntropy(str(n))) - NOW for n in range(200)]

    assert all(SHORTEST_PAUSE <= pause <= LONGEST_PAUSE for pause in drawn)
    assert len(set(drawn)) == 200
    assert max(drawn) - min(drawn) > timedelta(hours=1.5)


@pytest.mark.parametrize("failure", [None, *CheckFailure])
def test_a_session_that_reached_no_server_is_repeated_soon(failure: CheckFailure | None) -> None:
    planned = NOW + SHORTEST_PAUSE

    due = sooner_after(failure, planned, now=NOW)

    assert (due < planned) == (failure is CheckFailure.UNREACHABLE)
    assert due > NOW
