"""When the App wakes up by itself. Pure; what it decides is kept, so that it outlives a restart.

Source:
    Mobile Client, "Background session": at least every few hours.
"""

from datetime import datetime, timedelta
from typing import Final

from immuni.app.record import AppRecord, CheckFailure
from immuni.entropy import Entropy

SHORTEST_PAUSE: Final = timedelta(hours=1)
LONGEST_PAUSE: Final = timedelta(hours=3)
_RETRY: Final = timedelta(minutes=15)
"""After a session that reached no server: a laptop wakes up before its network does."""


def is_session_due(record: AppRecord, *, now: datetime) -> bool:
    """Tell whether a background session is due.

    One that is planned too far ahead was planned by a clock that was wrong then.
    """
    planned = record.next_session
    return planned is None or not timedelta() < planned - now <= LONGEST_PAUSE


def next_session(*, now: datetime, entropy: Entropy) -> datetime:
    """Return when the session after one that begins now is due.

    Privacy:
        Drawn anew each time, so that devices that were switched on together do not ask the
        servers together, and none is known by the minute at which it asks.
    """
    pause = entropy.uniform(SHORTEST_PAUSE.total_seconds(), LONGEST_PAUSE.total_seconds())
    return now + timedelta(seconds=pause)


def sooner_after(failure: CheckFailure | None, planned: datetime, *, now: datetime) -> datetime:
    """Return when the next session is due after one that ended with `failure`."""
    if failure is CheckFailure.UNREACHABLE:
        return min(planned, now + _RETRY)
    return planned
