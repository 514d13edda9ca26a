"""What the App tells its user without being asked, as values; and when. Pure.

Notifications are made on the phone, never pushed by a server.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from immuni.api import ConfigurationSettings


class NotificationKind(StrEnum):
    """The occasions for a notification."""

    RISK = "risk"
    RISK_REMINDER = "risk_reminder"
    SERVICE_NOT_ACTIVE = "service_not_active"
    UPDATE_REQUIRED = "update_required"


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
    }
    return {kind: timedelta(seconds=period) for kind, period in seconds.items()}


def is_due(sent_at: Sequence[datetime], *, now: datetime, period: timedelta) -> bool:
    """Tell whether a reminder is due whose last ones were sent at `sent_at`.

    What a clock that ran ahead has dated in the future does not count.
    """
    past = [at for at in sent_at if at <= now]
    return not past or now - max(past) >= period
