"""When a day's work is more than it should be: decided without I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from immuni.errors import ImmuniError
from immuni.portal.limits.settings import LimitSettings

LEARNS_FROM: Final = timedelta(days=28)
"""How far back the history reaches that quotas learn from."""
PACE_WINDOW: Final = timedelta(minutes=10)

_BUSIEST: Final = 3
_HOURS: Final = 24
_DAYS_OF_HABIT: Final = 10
_HOURS_AROUND: Final = 2


class Scope(StrEnum):
    """Whose work is counted or stopped."""

    ACCOUNT = "account"
    ORGANISATION = "organisation"
    EVERYTHING = "everything"


class Limit(StrEnum):
    """Why a code is not authorised."""

    STOPPED_ACCOUNT = "stopped_account"
    STOPPED_ORGANISATION = "stopped_organisation"
    STOPPED_EVERYTHING = "stopped_everything"
    QUOTA = "quota"
    ORGANISATION_QUOTA = "organisation_quota"
    PACE = "pace"


class LimitReachedError(ImmuniError, PermissionError):
    """A code must not be authorised now; nothing was sent, and nothing is counted.

    Attributes:
        limit: Why.
        wait: After how long it may be; None where somebody has to allow it.
    """

    def __init__(self, limit: Limit, wait: timedelta | None = None) -> None:
        """Say why, and for how long."""
        super().__init__(limit)
        self.limit = limit
        self.wait = wait


class Warned(StrEnum):
    """What a supervisor is told of."""

    MUCH = "much"
    QUOTA = "quota"
    PACE = "pace"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class WorkDay:
    """One day of one operator or organisation.

    Attributes:
        count: Codes that were authorised.
        hours: The same by hour of the day, 24 numbers.
    """

    count: int
    hours: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one day may hold.

    Attributes:
        quota: Never more than this.
        warn_above: More than this is told to the supervisor.
    """

    quota: int
    warn_above: int


def bounds_of(history: Sequence[WorkDay], scope: Scope, settings: LimitSettings) -> Bounds:
    """Return what today may hold.

    The mean of the three busiest days stands for a busy day: one day of fraud raises it by a
    third of itself, while a real wave, which doubles in days, is followed from one day to the next.

    Args:
        history: The days before today, as far as the history reaches, in any order.
        scope: Whose.
        settings: Floors and factors.
    """
    floor = (
        settings.portal_operator_quota
        if scope is Scope.ACCOUNT
        else settings.portal_organisation_quota
    )
    busy = busy_day(history)
    return Bounds(
        quota=max(floor, int(busy * settings.portal_quota_factor)),
        warn_above=max(settings.portal_warning_floor, int(busy * settings.portal_warning_factor)),
    )


def busy_day(history: Sequence[WorkDay]) -> float:
    """Return the mean of the three busiest days; days that are missing count as empty."""
    return sum(sorted((day.count for day in history), reverse=True)[:_BUSIEST]) / _BUSIEST


def is_unusual_hour(history: Sequence[WorkDay], hour: int) -> bool:
    """Tell whether somebody with settled habits works at an hour at which they never did.

    Args:
        history: Their days.
        hour: 0..23, where they work.
    """
    if len(history) < _DAYS_OF_HABIT:
        return False
    around = {(hour + shift) % _HOURS for shift in range(-_HOURS_AROUND, _HOURS_AROUND + 1)}
    return not any(day.hours[each] for day in history for each in around)


LIMIT_OF_STOP: Final[Mapping[Scope, Limit]] = {
    Scope.ACCOUNT: Limit.STOPPED_ACCOUNT,
    Scope.ORGANISATION: Limit.STOPPED_ORGANISATION,
    Scope.EVERYTHING: Limit.STOPPED_EVERYTHING,
}
