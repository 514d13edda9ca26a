"""Intervals number time in steps of ten minutes, in UTC, whatever the zone of the caller."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.keys import (
    INTERVAL,
    TEK_ROLLING_PERIOD,
    ENIntervalNumber,
    day_of,
    first_interval_of,
    interval_at,
    rolling_start_of,
    start_of,
)

# A datetime ends with the year 9999, sooner than 32 bits do.
intervals = st.integers(0, 400_000_000).map(ENIntervalNumber)
zones = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
instants = st.integers(0, 10**16).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


def test_the_published_vectors_begin_with_the_second_of_april_2020() -> None:
    assert interval_at(datetime(2020, 4, 2, tzinfo=UTC)) == 2642976
    assert first_interval_of(date(2020, 4, 2)) == 2642976


@given(instants)
def test_an_interval_contains_the_instants_that_it_numbers(instant: datetime) -> None:
    start = start_of(interval_at(instant))

    assert start <= instant < start + INTERVAL


def test_time_is_numbered_exactly_up_to_the_last_microsecond_of_all() -> None:
    last = datetime.max.replace(tzinfo=UTC)

    assert interval_at(last) == interval_at(last.replace(microsecond=0))


def test_an_instant_before_the_first_interval_has_a_negative_number() -> None:
    assert interval_at(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


@given(instants, zones)
def test_the_zone_of_an_instant_does_not_change_its_interval(
    instant: datetime, zone: timezone
) -> None:
    assert interval_at(instant.astimezone(zone)) == interval_at(instant)


@given(intervals)
def test_the_start_of_an_interval_lies_in_it(interval: ENIntervalNumber) -> None:
    assert interval_at(start_of(interval)) == interval


@given(intervals)
def test_a_rolling_period_starts_at_midnight_no_more_than_a_day_before(
    interval: ENIntervalNumber,
) -> None:
    rolling_start = rolling_start_of(interval)

    assert rolling_start == first_interval_of(day_of(interval))
    assert 0 <= interval - rolling_start < TEK_ROLLING_PERIOD


def test_a_naive_instant_has_no_interval() -> None:
    with pytest.raises(ValueError, match="aware"):
        interval_at(datetime(2020, 4, 2))  # noqa: DTZ001 - a naive one is the point
