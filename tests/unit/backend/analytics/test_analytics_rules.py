"""What is kept of a report."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import pytest

from immuni.api import AppleOperationalInfo, Platform, UnknownProvinceError, italy
from immuni.backend.analytics.rules import (
    OperationalRecord,
    first_of_month,
    month_before,
    record_of,
)
from immuni.backend.errors import InvalidRequestError

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)


def info(
    *, notified: Literal[0, 1] = 1, province: str = "CH", risky_on: date = date(2020, 6, 9)
) -> AppleOperationalInfo:
    return AppleOperationalInfo(
        province=province,
        exposure_permission=1,
        bluetooth_active=0,
        notification_permission=1,
        exposure_notification=notified,
        last_risky_exposure_on=risky_on,
    )


def record(sent: AppleOperationalInfo) -> OperationalRecord:
    return record_of(sent, platform=Platform.IOS, territory=italy(), now=NOON)


def test_a_report_is_kept_by_the_day() -> None:
    kept = record(info())

    assert kept.received_on == date(2020, 6, 20)
    assert kept.last_risky_exposure_on == date(2020, 6, 9)
    assert (kept.exposure_permission, kept.bluetooth_active) == (True, False)
    assert kept.build is None


def test_the_dummy_date_of_a_phone_that_notified_nobody_is_not_kept() -> None:
    assert record(info(notified=0)).last_risky_exposure_on is None


def test_a_date_may_be_today_anywhere_on_earth_and_no_later() -> None:
    record(info(risky_on=date(2020, 6, 21)))

    with pytest.raises(InvalidRequestError):
        record(info(risky_on=date(2020, 6, 21) + timedelta(days=1)))


def test_a_province_must_exist() -> None:
    with pytest.raises(UnknownProvinceError):
        record(info(province="XX"))


@pytest.mark.parametrize(
    ("day", "first", "before"),
    [
        (date(2020, 6, 20), date(2020, 6, 1), date(2020, 5, 1)),
        (date(2020, 1, 1), date(2020, 1, 1), date(2019, 12, 1)),
        (date(2020, 3, 31), date(2020, 3, 1), date(2020, 2, 1)),
    ],
)
def test_months_are_told_by_their_first_day(day: date, first: date, before: date) -> None:
    assert first_of_month(day) == first
    assert month_before(first) == before
