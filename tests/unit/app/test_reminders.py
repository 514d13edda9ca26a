from datetime import timedelta

from immuni.app.notifications import Notification, NotificationKind
from immuni.app.record import AppRecord
from immuni.app.reminders import reminded, reminded_of_onboarding
from immuni.app.state import AtRisk, Positive
from immuni.app.status import ServiceIssue
from tests.unit.app.records import NOW, days_ago

DAY = timedelta(days=1)
WARNING = Notification(kind=NotificationKind.RISK, at=NOW - DAY, contact_day=days_ago(3))
WARNED = AppRecord(user=AtRisk(days_ago(3)), notifications=(WARNING,), is_warning_seen=False)


def kinds(record: AppRecord) -> list[NotificationKind]:
    return [each.kind for each in record.notifications]


def test_a_warning_that_was_not_seen_is_repeated_after_a_day() -> None:
    assert kinds(reminded(WARNED, (), now=NOW)) == [
        NotificationKind.RISK,
        NotificationKind.RISK_REMINDER,
    ]
    assert reminded(WARNED, (), now=NOW - timedelta(seconds=1)) == WARNED


def test_a_reminder_waits_for_the_last_reminder() -> None:
    once = reminded(WARNED, (), now=NOW)

    assert reminded(once, (), now=NOW + DAY - timedelta(seconds=1)) == once
    assert len(reminded(once, (), now=NOW + DAY).notifications) == 3


def test_a_reminder_names_the_day_of_the_contact() -> None:
    assert reminded(WARNED, (), now=NOW).notifications[-1].contact_day == days_ago(3)


def test_nobody_is_reminded_once_the_warning_was_seen() -> None:
    seen = AppRecord(user=AtRisk(days_ago(3)), notifications=(WARNING,))

    assert reminded(seen, (), now=NOW + 5 * DAY) == seen


def test_an_inactive_service_is_told_at_once_and_then_once_a_day() -> None:
    issues = (ServiceIssue.BLUETOOTH_OFF,)

    once = reminded(AppRecord(), issues, now=NOW)

    assert kinds(once) == [NotificationKind.SERVICE_NOT_ACTIVE]
    assert reminded(once, issues, now=NOW + DAY - timedelta(seconds=1)) == once
    assert len(reminded(once, issues, now=NOW + DAY).notifications) == 2


def test_what_is_over_stands_on_the_screen_no_longer() -> None:
    complaint = reminded(AppRecord(), (ServiceIssue.BLUETOOTH_OFF,), now=NOW)

    assert complaint.unseen is not None
    assert reminded(complaint, (ServiceIssue.RADIO_LOST,), now=NOW).unseen == complaint.unseen
    assert reminded(complaint, (), now=NOW).unseen is None
    assert reminded(complaint, (), now=NOW).notifications == complaint.notifications


def test_a_warning_stands_until_it_is_seen() -> None:
    warned = reminded(WARNED, (), now=NOW)

    assert warned.unseen is not None
    assert reminded(warned, (), now=NOW + timedelta(hours=1)).unseen == warned.unseen


def test_an_update_is_asked_for_before_anything_else_is_complained_about() -> None:
    issues = (ServiceIssue.UPDATE_REQUIRED, ServiceIssue.BLUETOOTH_OFF)

    assert kinds(reminded(AppRecord(), issues, now=NOW)) == [NotificationKind.UPDATE_REQUIRED]


def test_a_pause_that_the_user_wanted_is_no_reason_to_complain() -> None:
    assert reminded(AppRecord(), (ServiceIssue.PAUSED,), now=NOW) == AppRecord()


def test_who_is_positive_is_asked_a_week_after_the_upload_and_then_weekly() -> None:
    positive = AppRecord(user=Positive((NOW - 7 * DAY).date()))
    too_early = AppRecord(user=Positive((NOW - 6 * DAY).date()))

    once = reminded(positive, (), now=NOW)

    assert kinds(once) == [NotificationKind.STILL_POSITIVE]
    assert reminded(too_early, (), now=NOW) == too_early
    assert reminded(once, (), now=NOW + 7 * DAY - timedelta(seconds=1)) == once
    assert len(reminded(once, (), now=NOW + 7 * DAY).notifications) == 2


def test_who_stopped_in_the_middle_of_the_onboarding_is_reminded_once_a_day() -> None:
    begun = reminded_of_onboarding(AppRecord(), now=NOW)
    once = reminded_of_onboarding(begun, now=NOW + DAY)

    assert begun == AppRecord(first_start=NOW)
    assert reminded_of_onboarding(begun, now=NOW + DAY - timedelta(seconds=1)) == begun
    assert kinds(once) == [NotificationKind.ONBOARDING_NOT_COMPLETED]
    assert reminded_of_onboarding(once, now=NOW + 2 * DAY - timedelta(seconds=1)) == once
    assert len(reminded_of_onboarding(once, now=NOW + 2 * DAY).notifications) == 2
