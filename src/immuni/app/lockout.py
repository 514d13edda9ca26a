"""How long the check of a code is locked after failures. Pure.

Source:
    The one-time password: min(5·2^(n−1), 1800) seconds after n consecutive failures, forgotten
    24 h after the last one.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

FIRST_LOCK: Final = timedelta(seconds=5)
LONGEST_LOCK: Final = timedelta(seconds=1800)
FORGOTTEN_AFTER: Final = timedelta(hours=24)
_DOUBLINGS_TO_LONGEST: Final = 9


class FailedChecks(msgspec.Struct, frozen=True):
    """Consecutive checks that the server answered with "unauthorised".

    Attributes:
        count: How many there were.
        last_at: When the last one was answered, None while there is none.
    """

    count: int = 0
    last_at: datetime | None = None


def after_failure(failures: FailedChecks, now: datetime) -> FailedChecks:
    """Count one more failure."""
    return FailedChecks(_alive(failures, now).count + 1, now)


def locked_until(failures: FailedChecks, now: datetime) -> datetime | None:
    """Return the moment until which no check is allowed, None when one is allowed now."""
    alive = _alive(failures, now)
    if alive.last_at is None:
        return None
    # Doubling stops where the longest lock is reached, so that the count cannot overflow.
    doublings = min(alive.count - 1, _DOUBLINGS_TO_LONGEST)
    end = alive.last_at + min(FIRST_LOCK * 2**doublings, LONGEST_LOCK)
    return end if now < end else None


def _alive(failures: FailedChecks, now: datetime) -> FailedChecks:
    if failures.last_at is None or now - failures.last_at >= FORGOTTEN_AFTER:
        return FailedChecks()
    # A clock that ran ahead must not lock for longer than a failure at this moment would.
    return FailedChecks(failures.count, min(failures.last_at, now))
