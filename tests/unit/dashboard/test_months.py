"""Months and their periods."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.analytics.insights.periods import days_of_period
from immuni.dashboard.months import Month, period_name


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_periods_divide_a_month(day: date) -> None:
    month = Month.of(day)

    days = [each for since in month.periods for each in days_of_period(since)]
    assert days == month.days
    assert month.holds(day)
    assert month.next.previous == month
    assert Month.parse(str(month)) == month


def test_the_last_period_ends_with_its_month() -> None:
    assert period_name(date(2020, 2, 22)) == "22 to 29 February"
    assert period_name(date(2021, 2, 22)) == "22 to 28 February"
    assert period_name(date(2020, 10, 8)) == "8 to 14 October"


@pytest.mark.parametrize("text", ["2020-13", "2020", "", "2020-10-01", "٢٠٢٠-١٠"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Month.parse(text)
