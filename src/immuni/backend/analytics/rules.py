"""Which Operational Info is kept, and as what.

Source:
    Analytics, "Operational Info".
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from msgspec import UNSET

from immuni.api import (
    AppleOperationalInfo,
    GoogleOperationalInfo,
    Platform,
    ProvinceCode,
    Territory,
    latest_today,
)
from immuni.backend.errors import InvalidRequestError


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationalRecord:
    """Operational Info as it is kept: nothing in it joins two records, or a record and a phone.

    Attributes:
        received_on: Day of receipt, in UTC; nothing finer is kept.
        last_risky_exposure_on: None unless the phone notified its user: what it sends otherwise is
            a fixed date that only keeps sizes equal.
        build: The App's build, None where the phone did not tell.
    """

    received_on: date
    platform: Platform
    province: ProvinceCode
    exposure_permission: bool
    bluetooth_active: bool
    notification_permission: bool
    exposure_notification: bool
    last_risky_exposure_on: date | None
    build: int | None


class Attestation(Protocol):
    """Tells reports of genuine Android phones from pollution."""

    def vouches_for(self, info: GoogleOperationalInfo, *, now: datetime) -> bool:
        """Tell whether the attestation is genuine and made for `info`; it may have come before."""
        ...


class NoAttestation:
    """Vouches for nothing, because no attestation of Android is set up.

    Anybody could send any number of reports then, so none of them is kept.
    """

    def vouches_for(self, info: GoogleOperationalInfo, *, now: datetime) -> bool:  # noqa: ARG002 - the interface has them
        """Vouch for nothing."""
        return False


def first_of_month(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def month_before(month: date) -> date:
    """Return the first day of the month before one, given by its first day."""
    return first_of_month(month - timedelta(days=1))


def record_of(
    info: AppleOperationalInfo, *, platform: Platform, territory: Territory, now: datetime
) -> OperationalRecord:
    """Return what would be kept of a report.

    Raises:
        InvalidRequestError: The date lies in the future, anywhere on Earth.
        UnknownProvinceError: The province is not of this territory.
    """
    if info.last_risky_exposure_on > latest_today(now):
        raise InvalidRequestError("last risky exposure on out of range")
    return OperationalRecord(
        received_on=now.date(),
        platform=platform,
        province=territory.parse(info.province),
        exposure_permission=info.exposure_permission == 1,
        bluetooth_active=info.bluetooth_active == 1,
        notification_permission=info.notification_permission == 1,
        exposure_notification=info.exposure_notification == 1,
        last_risky_exposure_on=info.last_risky_exposure_on if info.exposure_notification else None,
        build=None if info.build is UNSET else info.build,
    )
