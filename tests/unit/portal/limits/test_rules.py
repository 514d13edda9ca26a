from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.portal.limits.rules import (
    Bounds,
    Scope,
    WorkDay,
    bounds_of,
    busy_day,
    is_unusual_hour,
)
from immuni.portal.limits.settings import LimitSettings

SETTINGS = LimitSettings()
COUNTS = st.lists(st.integers(0, 2000), max_size=28)


def days(counts: Sequence[int], *, hour: int = 10) -> list[WorkDay]:
    return [
        WorkDay(count, [count if each == hour else 0 for each in range(24)]) for count in counts
    ]


def bounds(counts: Sequence[int], scope: Scope = Scope.ACCOUNT) -> Bounds:
    return bounds_of(days(counts), scope, SETTINGS)


def test_whoever_has_no_history_gets_the_floor() -> None:
    assert bounds([]) == Bounds(quota=100, warn_above=30)
    assert bounds([], Scope.ORGANISATION) == Bounds(quota=400, warn_above=30)


def test_whoever_works_hundreds_of_times_a_day_may_go_on_doing_so() -> None:
    assert bounds([250, 300, 280, 120]) == Bounds(quota=1106, warn_above=553)


@given(COUNTS)
def test_nobody_is_warned_of_a_day_like_their_three_busiest(counts: list[int]) -> None:
    assert bounds(counts).warn_above >= busy_day(days(counts))


def test_a_wave_that_doubles_every_three_days_meets_no_quota() -> None:
    counts = [20.0]
    for _ in range(27):
        assert counts[-1] <= bounds([int(each) for each in counts[:-1]]).quota
        counts.append(counts[-1] * 2 ** (1 / 3))


def test_one_day_of_fraud_at_the_quota_does_not_raise_it_much() -> None:
    honest = [20] * 27
    before = bounds(honest).quota

    assert bounds([*honest, before]).quota <= 2 * before


@given(COUNTS, COUNTS)
def test_more_work_never_lowers_a_quota(counts: list[int], others: list[int]) -> None:
    assert bounds([*counts, *others]).quota >= bounds(counts).quota


@pytest.mark.parametrize(
    ("hour", "unusual"), [(10, False), (8, False), (12, False), (7, True), (13, True), (3, True)]
)
def test_an_hour_is_unusual_where_nobody_ever_worked_around_it(hour: int, unusual: bool) -> None:  # noqa: FBT001 - a row of the table
    assert is_unusual_hour(days([5] * 10), hour) is unusual


def test_the_hours_around_midnight_are_neighbours() -> None:
    assert not is_unusual_hour(days([5] * 10, hour=23), 1)


def test_whoever_is_new_has_no_usual_hours() -> None:
    assert not is_unusual_hour(days([5] * 9), 3)
