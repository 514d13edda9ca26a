"""Spans of days nest."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.analytics.insights.periods import (
    days_between,
    ends_month,
    ends_period,
    first_of_period,
    last_of_month,
)

days = st.dates(date(2020, 1, 1), date(2100, 1, 1))
DAY = timedelta(days=1)


@given(days)
def test_a_period_lies_in_one_month_and_has_seven_to_ten_days(day: date) -> None:
    first = first_of_period(day)
    length = next(n for n in range(1, 12) if ends_period(first + (n - 1) * DAY))

    assert first <= day < first + length * DAY
    assert first.month == (first + (length - 1) * DAY).month == day.month
    assert 7 <= length <= 10


@given(days)
def test_a_period_ends_where_the_next_begins(day: date) -> None:
    assert ends_period(day) is (first_of_period(day + DAY) == day + DAY)


@given(days)
def test_a_month_ends_where_the_next_begins(day: date) -> None:
    assert ends_month(day) is ((day + DAY).day == 1)
    assert day <= last_of_month(day)
    assert last_of_month(day).month == day.month
    assert not ends_month(day) or ends_period(day)


def test_days_between_holds_both_ends() -> None:
    assert days_between(date(2020, 2, 28), date(2020, 3, 1)) == [
        date(2020, 2, 28),
        date(2020, 2, 29),
        date(2020, 3, 1),
    ]
    assert days_between(date(2020, 3, 2), date(2020, 3, 1)) == []
