"""What the App tells its user without being asked, as values; and when. Pure.

Notifications are made on the phone, never pushed by a server.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from immuni.api import ConfigurationSettings

STILL_POSITIVE_PERIOD: Final = timedelta(days=7)
"""No setting tells it: who is ill is asked once a week whether that has ended."""


class NotificationKind(StrEnum):
    """The occasions for a notification."""

    RISK = "risk"
    RISK_REMINDER = "risk_reminder"
    SERVICE_NOT_ACTIVE = "service_not_active"
    UPDATE_REQUIRED = "update_required"
    ONBOARDING_NOT_COMPLETED = "onboarding_not_completed"
    STILL_POSITIVE = "still_positive"
    SERVICE_ENDED = "service_ended"


URGENT: Final = frozenset({NotificationKind.RISK, NotificationKind.RISK_REMINDER})
"""What stays on the screen until somebody has seen it."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the user is told.

    Attributes:
        kind: The occasion.
        at: When it was made, by the phone's clock.
        contact_day: The day of the contact, where the occasion is a risk.
    """

    kind: NotificationKind
    at: datetime
    contact_day: date | None = None


def reminder_periods(settings: ConfigurationSettings) -> Mapping[NotificationKind, timedelta]:
    """Return how long each reminder waits before it is repeated."""
    seconds = {
        NotificationKind.RISK_REMINDER: settings.risk_reminder_notification_period,
        NotificationKind.SERVICE_NOT_ACTIVE: settings.service_not_active_notification_period,
        NotificationKind.UPDATE_REQUIRED: settings.required_update_notification_period,
        NotificationKind.ONBOARDING_NOT_COMPLETED: (
            settings.onboarding_not_completed_notification_period
        ),
    }
    periods = {kind: timedelta(seconds=period) for kind, period in seconds.items()}
    return periods | {NotificationKind.STILL_POSITIVE: STILL_POSITIVE_PERIOD}


def is_due(sent_at: Sequence[datetime], *, now: datetime, period: timedelta) -> bool:
    """Tell whether a reminder is due whose last ones were sent at `sent_at`.

    What a clock that ran ahead has dated in the future does not count.
    """
    past = [at for at in sent_at if at <= now]
    return not past or now - max(past) >= period


def untold(
    notifications: Sequence[Notification], told: Notification | None
) -> tuple[Notification, ...]:
    """Return what is still to be shown after `told`, the latest of each kind, oldest first.

    Args:
        notifications: What the user was told, oldest first.
        told: The latest one that was shown; it may have been purged since.
    """
    if told is not None and told in notifications:
        place = len(notifications) - 1 - list(reversed(notifications)).index(told)
        later = notifications[place + 1 :]
    else:
        later = [each for each in notifications if told is None or each.at > told.at]
    latest = {each.kind: each for each in later}
    return tuple(each for each in later if latest[each.kind] is each)
