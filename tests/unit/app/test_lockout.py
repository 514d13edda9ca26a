from datetime import UTC, datetime, timedelta

import pytest

from immuni.app.lockout import FailedChecks, after_failure, locked_until

NOW = datetime(2020, 6, 8, 12, tzinfo=UTC)


def failures(count: int) -> FailedChecks:
    failed = FailedChecks()
    for _ in range(count):
        failed = after_failure(failed, NOW)
    return failed


def test_the_first_check_is_free() -> None:
    assert locked_until(FailedChecks(), NOW) is None


@pytest.mark.parametrize(
    ("count", "seconds"),
    [(1, 5), (2, 10), (3, 20), (4, 40), (9, 1280), (10, 1800), (11, 1800), (10_000, 1800)],
)
def test_each_failure_doubles_the_lock_up_to_half_an_hour(count: int, seconds: int) -> None:
    failed = FailedChecks(count, NOW)

    assert locked_until(failed, NOW) == NOW + timedelta(seconds=seconds)
    assert locked_until(failed, NOW + timedelta(seconds=seconds)) is None


def test_failures_are_counted_one_by_one() -> None:
    assert failures(3) == FailedChecks(3, NOW)


def test_failures_are_forgotten_a_day_after_the_last() -> None:
    tomorrow = NOW + timedelta(hours=24)

    assert after_failure(failures(7), tomorrow) == FailedChecks(1, tomorrow)
    assert after_failure(failures(7), tomorrow - timedelta(seconds=1)).count == 8


def test_a_clock_that_ran_ahead_locks_no_longer_than_a_failure_now() -> None:
    ahead = FailedChecks(1, NOW + timedelta(days=1))

    assert locked_until(ahead, NOW) == NOW + timedelta(seconds=5)
