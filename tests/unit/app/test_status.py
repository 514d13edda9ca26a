from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from immuni.api import ConfigurationSettings
from immuni.app.record import AppRecord
from immuni.app.server_time import ServerTime
from immuni.app.settings import SettingsInForce
from immuni.app.state import AtRisk, Neutral
from immuni.app.status import PhoneStatus, ServiceIssue, phone_status
from immuni.framework import InactiveReason, Status
from tests.unit.app.records import NOW, days_ago

CHECKED = AppRecord(last_check=NOW)


def status(record: AppRecord, *reasons: InactiveReason, build: int = 10) -> PhoneStatus:
    return phone_status(record, Status(frozenset(reasons), "a safe"), build_number=build, now=NOW)


def test_a_phone_without_issues_is_active() -> None:
    assert status(CHECKED).active


@pytest.mark.parametrize("reason", InactiveReason)
def test_every_reason_of_the_framework_makes_the_service_inactive(reason: InactiveReason) -> None:
    assert len(status(CHECKED, reason).issues) == 1


def test_all_issues_are_told_the_gravest_first() -> None:
    reasons = (InactiveReason.RADIO_LOST, InactiveReason.PERMISSION_MISSING)

    assert status(CHECKED, *reasons).issues == (
        ServiceIssue.PERMISSION_MISSING,
        ServiceIssue.RADIO_LOST,
    )


def test_a_pause_that_ends_by_itself_is_told_to_nobody_again() -> None:
    reasons = frozenset({InactiveReason.PAUSED, InactiveReason.BLUETOOTH_OFF})

    def told(until: datetime | None) -> tuple[ServiceIssue, ...]:
        framework = Status(reasons, "a safe", paused_until=until)
        return phone_status(CHECKED, framework, build_number=10, now=NOW).issues_to_tell

    assert told(NOW + timedelta(hours=1)) == (ServiceIssue.BLUETOOTH_OFF,)
    assert told(None) == (ServiceIssue.PAUSED, ServiceIssue.BLUETOOTH_OFF)


def test_a_day_without_a_completed_check_is_an_issue() -> None:
    day = timedelta(hours=24)

    assert status(AppRecord(last_check=NOW - day)).active
    late = status(AppRecord(last_check=NOW - day - timedelta(seconds=1)))
    assert late.issues == (ServiceIssue.NO_RECENT_CHECK,)


def test_a_phone_that_was_never_checked_misses_nothing_yet() -> None:
    assert status(AppRecord()).active


@pytest.mark.parametrize(
    ("ahead", "is_wrong"),
    [
        (timedelta(hours=2), False),
        (timedelta(hours=-2), False),
        (timedelta(hours=3), True),
        (timedelta(hours=-3), True),
    ],
)
def test_a_clock_further_off_than_matching_tolerates_is_an_issue(
    ahead: timedelta, *, is_wrong: bool
) -> None:
    record = replace(CHECKED, server_time=ServerTime(ahead))

    assert (ServiceIssue.CLOCK_WRONG in status(record).issues) == is_wrong


def test_a_build_below_the_minimum_must_be_updated() -> None:
    settings = SettingsInForce(ConfigurationSettings(minimum_build_version=10))
    record = replace(CHECKED, settings=settings)

    assert status(record, build=10).active
    assert status(record, build=9).issues == (ServiceIssue.UPDATE_REQUIRED,)


def test_once_the_service_has_ended_there_is_nothing_else_to_mend() -> None:
    settings = SettingsInForce(ConfigurationSettings(service_end_date=NOW.date()))
    record = replace(CHECKED, settings=settings, last_check=NOW - timedelta(days=9))

    found = status(record, InactiveReason.NOT_STARTED, InactiveReason.BLUETOOTH_OFF, build=0)

    assert found.issues == (ServiceIssue.SERVICE_ENDED,)


def test_the_status_shows_the_risk_as_it_is_today() -> None:
    assert status(AppRecord(user=AtRisk(days_ago(13)))).user == AtRisk(days_ago(13))
    assert status(AppRecord(user=AtRisk(days_ago(14)))).user == Neutral()


def test_a_phone_that_never_completed_a_check_says_so_after_a_day() -> None:
    day = timedelta(hours=24)

    assert status(AppRecord(onboarded_at=NOW - day)).active
    late = status(AppRecord(onboarded_at=NOW - day - timedelta(seconds=1)))
    assert late.issues == (ServiceIssue.NO_RECENT_CHECK,)


def test_a_check_dated_in_the_future_does_not_count() -> None:
    ahead = AppRecord(last_check=NOW + timedelta(days=30), onboarded_at=NOW - timedelta(days=2))

    assert status(ahead).issues == (ServiceIssue.NO_RECENT_CHECK,)
