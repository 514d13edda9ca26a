"""When the App speaks up again about something that still stands. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Final

from msgspec.structs import replace

from immuni.app.decision import notified
from immuni.app.notifications import Notification, NotificationKind, is_due, reminder_periods
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk, Positive
from immuni.app.status import ServiceIssue

_PASSING: Final = frozenset(
    {
        NotificationKind.SERVICE_NOT_ACTIVE,
        NotificationKind.UPDATE_REQUIRED,
        NotificationKind.STILL_POSITIVE,
    }
)
"""What is over once its reason is; a warning stays until it is seen or too old."""


def reminded(record: AppRecord, issues: Sequence[ServiceIssue], *, now: datetime) -> AppRecord:
    """Return the memory with a reminder in it, where one is due.

    What is over stands on the screen no longer.

    Args:
        record: The memory as it is.
        issues: Why the service is not active, as far as the user is to be told.
        now: The phone's clock.
    """
    periods = reminder_periods(record.settings.values)
    standing = _standing(record, issues)
    record = _without_what_is_over(record, standing)
    for kind in standing:
        if is_due(_sent(record, kind), now=now, period=periods[kind]):
            return notified(record, _reminder(record, kind, now))
    return record


def reminded_of_onboarding(record: AppRecord, *, now: datetime) -> AppRecord:
    """Return the memory with a reminder to complete the onboarding, where one is due.

    The first one comes a whole period after the first start, which is noted here.
    """
    if record.first_start is None:
        return replace(record, first_start=now)
    kind = NotificationKind.ONBOARDING_NOT_COMPLETED
    moments = [record.first_start, *_sent(record, kind)]
    if not is_due(moments, now=now, period=reminder_periods(record.settings.values)[kind]):
        return record
    return notified(record, Notification(kind=kind, at=now))


def _standing(record: AppRecord, issues: Sequence[ServiceIssue]) -> list[NotificationKind]:
    """Return what there is to be reminded of, the most important first."""
    standing = []
    if isinstance(record.user, AtRisk) and not record.is_warning_seen:
        standing.append(NotificationKind.RISK_REMINDER)
    if ServiceIssue.UPDATE_REQUIRED in issues:
        standing.append(NotificationKind.UPDATE_REQUIRED)
    elif set(issues) - {ServiceIssue.PAUSED}:
        standing.append(NotificationKind.SERVICE_NOT_ACTIVE)
    if isinstance(record.user, Positive):
        standing.append(NotificationKind.STILL_POSITIVE)
    return standing


def _without_what_is_over(record: AppRecord, standing: Sequence[NotificationKind]) -> AppRecord:
    unseen = record.unseen
    if unseen is None or unseen.kind not in _PASSING or unseen.kind in standing:
        return record
    return replace(record, unseen=None)


def _sent(record: AppRecord, kind: NotificationKind) -> list[datetime]:
    """Return the moments from which the next reminder of a kind counts."""
    sent = [each.at for each in record.notifications if each.kind in _counted(kind)]
    if kind is NotificationKind.STILL_POSITIVE and isinstance(record.user, Positive):
        sent.append(datetime.combine(record.user.upload_day, time(), tzinfo=UTC))
    return sent


def _counted(kind: NotificationKind) -> frozenset[NotificationKind]:
    """Return the kinds after which a reminder waits: the warning itself counts as the first."""
    if kind is NotificationKind.RISK_REMINDER:
        return frozenset({NotificationKind.RISK, NotificationKind.RISK_REMINDER})
    return frozenset({kind})


def _reminder(record: AppRecord, kind: NotificationKind, now: datetime) -> Notification:
    match (kind, record.user):
        case (NotificationKind.RISK_REMINDER, AtRisk(last_contact_day=day)):
            return Notification(kind=kind, at=now, contact_day=day)
        case _:
            return Notification(kind=kind, at=now)
