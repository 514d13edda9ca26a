"""Dates are UTC days, and none is in the future."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from immuni.risk.days import days_since, today_at


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2020, 6, 17, 23, 59, 59, 999_999, tzinfo=UTC), date(2020, 6, 17)),
        (datetime(2020, 6, 18, 0, 0, tzinfo=UTC), date(2020, 6, 18)),
        (datetime(2020, 6, 18, 1, 59, tzinfo=timezone(timedelta(hours=2))), date(2020, 6, 17)),
        (datetime(2020, 6, 17, 22, 0, tzinfo=timezone(-timedelta(hours=2))), date(2020, 6, 18)),
    ],
    ids=["the last moment", "the first", "further east", "further west"],
)
def test_today_is_the_utc_day(now: datetime, day: date) -> None:
    assert today_at(now) == day


def test_a_naive_time_has_no_day() -> None:
    with pytest.raises(ValueError, match="aware"):
        today_at(datetime(2020, 6, 17))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(("ago", "days"), [(0, 0), (1, 1), (14, 14), (-1, 0)])
def test_days_are_counted_back_and_a_day_to_come_is_today(ago: int, days: int) -> None:
    today = date(2020, 6, 17)

    assert days_since(today - timedelta(days=ago), today) == days
