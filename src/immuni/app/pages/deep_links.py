"""Which page a notification opens. Pure."""

from collections.abc import Mapping
from typing import Final

from immuni.app.notifications import NotificationKind

_PAGES: Final[Mapping[NotificationKind, str]] = {
    NotificationKind.RISK: "/advice",
    NotificationKind.RISK_REMINDER: "/advice",
    NotificationKind.SERVICE_NOT_ACTIVE: "/",
    # These show themselves at home, whatever else there is.
    NotificationKind.UPDATE_REQUIRED: "/",
    NotificationKind.ONBOARDING_NOT_COMPLETED: "/",
    NotificationKind.SERVICE_ENDED: "/",
    NotificationKind.STILL_POSITIVE: "/state/recovered",
}


def page_of(kind: NotificationKind) -> str:
    """Return the path of the page on which a notification goes on."""
    return _PAGES[kind]
