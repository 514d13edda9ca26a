"""Whether the phone protects its user, and if not, every reason why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from immuni.app.record import AppRecord, CheckFailure
from immuni.app.server_time import UNCERTAINTY
from immuni.app.service_end import has_ended
from immuni.app.state import UserState, on_day
from immuni.framework import InactiveReason, Status

LONGEST_WITHOUT_CHECK: Final = timedelta(hours=24)
WORST_CLOCK: Final = timedelta(hours=2)
"""What matching tolerates: a phone whose clock is further off neither warns nor is warned."""


class ServiceIssue(StrEnum):
    """Why the service is not active, the gravest first."""

    SERVICE_ENDED = "service_ended"
    UPDATE_REQUIRED = "update_required"
    DEVICE_UNREACHABLE = "device_unreachable"
    PERMISSION_MISSING = "permission_missing"
    SWITCHED_OFF = "switched_off"
    PAUSED = "paused"
    BLUETOOTH_OFF = "bluetooth_off"
    RADIO_LOST = "radio_lost"
    STORE_FULL = "store_full"
    STORE_DAMAGED = "store_damaged"
    STORE_FAILED = "store_failed"
    CLOCK_WRONG = "clock_wrong"
    NO_RECENT_CHECK = "no_recent_check"


_OF_THE_FRAMEWORK: Final[Mapping[InactiveReason, ServiceIssue]] = {
    InactiveReason.UNREACHABLE: ServiceIssue.DEVICE_UNREACHABLE,
    InactiveReason.PERMISSION_MISSING: ServiceIssue.PERMISSION_MISSING,
    InactiveReason.NOT_STARTED: ServiceIssue.SWITCHED_OFF,
    InactiveReason.PAUSED: ServiceIssue.PAUSED,
    InactiveReason.BLUETOOTH_OFF: ServiceIssue.BLUETOOTH_OFF,
    InactiveReason.RADIO_LOST: ServiceIssue.RADIO_LOST,
    InactiveReason.STORE_FULL: ServiceIssue.STORE_FULL,
    InactiveReason.STORE_DAMAGED: ServiceIssue.STORE_DAMAGED,
    InactiveReason.STORE_FAILED: ServiceIssue.STORE_FAILED,
    InactiveReason.CLOCK_TURNED_BACK: ServiceIssue.CLOCK_WRONG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneStatus:
    """What the home screen shows.

    Attributes:
        user: Neutral, at risk or positive, as of today.
        issues: Why the service is not active, the gravest first; none when it is.
        last_check: When a check for exposures was last completed.
        failure: Why the latest check was not completed.
        key_storage: Where the key of the phone's data is kept, in words.
        paused_until: When a pause ends by itself; None where it does not, or there is none.
        radio_error: What the radio says; None where it works.
    """

    user: UserState
    issues: tuple[ServiceIssue, ...]
    last_check: datetime | None
    failure: CheckFailure | None
    key_storage: str
    paused_until: datetime | None = None
    radio_error: str | None = None

    @property
    def active(self) -> bool:
        """Whether the phone protects its user."""
        return not self.issues

    @property
    def issues_to_tell(self) -> tuple[ServiceIssue, ...]:
        """The issues of which the user is reminded: a pause that ends by itself is none."""
        if self.paused_until is None:
            return self.issues
        return tuple(issue for issue in self.issues if issue is not ServiceIssue.PAUSED)


def phone_status(
    record: AppRecord, framework: Status, *, build_number: int, now: datetime
) -> PhoneStatus:
    """Return what is to be said of the phone at `now`."""
    found = _found(record, framework, build_number=build_number, now=now)
    settings = record.settings.values
    return PhoneStatus(
        user=on_day(
            record.user,
            now.astimezone(UTC).date(),
            risk_duration=timedelta(seconds=settings.risk_duration),
        ),
        issues=tuple(issue for issue in ServiceIssue if issue in found),
        last_check=record.last_check,
        failure=record.failure,
        key_storage=framework.key_storage,
        paused_until=framework.paused_until,
        radio_error=framework.radio_error,
    )


def _found(
    record: AppRecord, framework: Status, *, build_number: int, now: datetime
) -> set[ServiceIssue]:
    if has_ended(record, now=now):
        # Whatever else is off is meant to be, and nobody shall mend it.
        return {ServiceIssue.SERVICE_ENDED}
    found = {_OF_THE_FRAMEWORK[reason] for reason in framework.reasons}
    if is_outdated(record, build_number):
        found.add(ServiceIssue.UPDATE_REQUIRED)
    if _is_clock_wrong(record):
        found.add(ServiceIssue.CLOCK_WRONG)
    if _is_check_missing(record, now):
        found.add(ServiceIssue.NO_RECENT_CHECK)
    return found


def is_outdated(record: AppRecord, build_number: int) -> bool:
    """Tell whether the build is too old to go on: it asks for an update and detects no more."""
    return build_number < record.settings.values.minimum_build_version


def _is_check_missing(record: AppRecord, now: datetime) -> bool:
    # What a clock that ran ahead has dated in the future says nothing.
    moments = (record.last_check, record.onboarded_at)
    since = next((each for each in moments if each is not None and each <= now), None)
    return since is not None and now - since > LONGEST_WITHOUT_CHECK


def _is_clock_wrong(record: AppRecord) -> bool:
    known = record.server_time
    return known is not None and abs(known.ahead) > WORST_CLOCK + UNCERTAINTY
