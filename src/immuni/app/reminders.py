"""When the App speaks up again about something that still stands. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from immuni.app.decision import notified
from immuni.app.notifications import Notification, NotificationKind, is_due, reminder_periods
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk
from immuni.app.status import ServiceIssue


def reminded(record: AppRecord, issues: Sequence[ServiceIssue], *, now: datetime) -> AppRecord:
    """Return the memory with a reminder in it, where one is due.

    Args:
        record: The memory as it is.
        issues: Why the service is not active, as far as the user is to be told.
        now: The phone's clock.
    """
    periods = reminder_periods(record.settings.values)
    for kind in _standing(record, issues):
        sent_at = [each.at for each in record.notifications if each.kind in _counted(kind)]
        if is_due(sent_at, now=now, period=periods.get(kind, timedelta())):
            return notified(record, _reminder(record, kind, now))
    return record


def _standing(record: AppRecord, issues: Sequence[ServiceIssue]) -> list[NotificationKind]:
    """Return what there is to be reminded of, the most important first."""
    standing = []
    if isinstance(record.user, AtRisk) and not record.is_warning_seen:
        standing.append(NotificationKind.RISK_REMINDER)
    if ServiceIssue.UPDATE_REQUIRED in issues:
        standing.append(NotificationKind.UPDATE_REQUIRED)
    elif issues:
        standing.append(NotificationKind.SERVICE_NOT_ACTIVE)
    return standing


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
