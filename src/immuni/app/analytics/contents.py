"""What a report says, genuine or not. Pure."""

from datetime import UTC, date, datetime, timedelta
from string import ascii_uppercase
from typing import Final

from immuni.api import AppleOperationalInfo
from immuni.api.analytics import Flag
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk
from immuni.entropy import Entropy
from immuni.framework import InactiveReason, Status

NO_EXPOSURE_ON: Final = date(2000, 1, 1)
"""Stands where there is no exposure to tell of, so that a report has one size."""
_NOT_PERMITTED: Final = frozenset({InactiveReason.PERMISSION_MISSING, InactiveReason.NOT_STARTED})
_DEAF: Final = frozenset({InactiveReason.BLUETOOTH_OFF, InactiveReason.RADIO_LOST})
_DUMMY_DAYS: Final = 14


def genuine_info(
    record: AppRecord, status: Status, *, with_exposure: bool, build: int
) -> AppleOperationalInfo | None:
    """Return what this phone has to tell; None where the province is not known.

    Args:
        record: The App's memory, just after the detection.
        status: Whether the exposure notifications work.
        with_exposure: Whether the detection warned; an earlier warning is not told of.
        build: Of the App.
    """
    if record.province is None:
        return None
    user = record.user
    is_told = with_exposure and isinstance(user, AtRisk)
    return AppleOperationalInfo(
        province=record.province,
        exposure_permission=_flag(not _NOT_PERMITTED & status.reasons),
        bluetooth_active=_flag(not _DEAF & status.reasons),
        # The App's own pages show what it notifies of: there is no permission to refuse.
        notification_permission=1,
        exposure_notification=_flag(is_told),
        last_risky_exposure_on=user.last_contact_day
        if is_told and isinstance(user, AtRisk)
        else NO_EXPOSURE_ON,
        build=build,
    )


def dummy_info(entropy: Entropy, *, now: datetime, build: int) -> AppleOperationalInfo:
    """Return a report that means nothing, of the size of all others."""
    flags = entropy.below(16)
    return AppleOperationalInfo(
        province="".join(ascii_uppercase[entropy.below(len(ascii_uppercase))] for _ in "12"),
        exposure_permission=_flag(flags & 1),
        bluetooth_active=_flag(flags & 2),
        notification_permission=_flag(flags & 4),
        exposure_notification=_flag(flags & 8),
        last_risky_exposure_on=now.astimezone(UTC).date()
        - timedelta(days=entropy.below(_DUMMY_DAYS)),
        build=build,
    )


def _flag(value: object) -> Flag:
    return 1 if value else 0
