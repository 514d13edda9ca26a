"""All that the phone knows of its owner, in a form that they can take away. Pure.

Left out is what is the same on every phone, and what others could use against the owner: the
phone's secret keys, the identifiers that it heard, its analytics token, and when it will send a
dummy. Of keys and identifiers it is told how many there are.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from immuni.api import ProvinceCode
from immuni.app.lockout import FailedChecks
from immuni.app.notifications import Notification
from immuni.app.record import AppRecord, OnboardingStep, PastExposure, StoredSummary
from immuni.app.sent import Sent
from immuni.app.state import UserState

FORMAT: Final = 1
LEFT_OUT: Final = frozenset(
    {
        "analytics",
        "end_told",
        "failure",
        "is_silenced",
        "is_warning_seen",
        "last_processed_chunk",
        "next_session",
        "server_time",
        "settings",
        "simulation",
        "told",
        "unseen",
    }
)
"""What the App remembers and does not export."""


class OwnData(msgspec.Struct, frozen=True, kw_only=True):
    """What the App remembers of its user; the names are those of `AppRecord`.

    Attributes:
        format: The version of this form.
        exported_at: When it was made, by the phone's clock.
        stored: How much of each kind the device holds for the sake of exposure notifications.
    """

    format: int
    exported_at: datetime
    onboarding: tuple[OnboardingStep, ...]
    onboarded_at: datetime | None
    first_start: datetime | None
    language: str | None
    province: ProvinceCode | None
    user: UserState
    last_check: datetime | None
    history: tuple[PastExposure, ...]
    summaries: tuple[StoredSummary, ...]
    notifications: tuple[Notification, ...]
    sent: tuple[Sent, ...]
    failed_checks: FailedChecks
    stored: Mapping[str, int]


def own_data(record: AppRecord, stored: Mapping[str, int], *, now: datetime) -> OwnData:
    """Return what is exported of `record`.

    Args:
        record: The App's memory.
        stored: How much of each kind the framework stores.
        now: The phone's clock.
    """
    return OwnData(
        format=FORMAT,
        exported_at=now,
        onboarding=tuple(step for step in OnboardingStep if step in record.onboarding),
        onboarded_at=record.onboarded_at,
        first_start=record.first_start,
        language=record.language,
        province=record.province,
        user=record.user,
        last_check=record.last_check,
        history=record.history,
        summaries=record.summaries,
        notifications=record.notifications,
        sent=record.sent,
        failed_checks=record.failed_checks,
        stored=stored,
    )


def as_json(data: OwnData) -> bytes:
    """Write it so that people can read it, too."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2)
