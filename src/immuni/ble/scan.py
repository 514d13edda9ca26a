"""When a phone listens, and for how long."""

from datetime import datetime, timedelta
from typing import Final

from immuni.entropy import Entropy

SCAN_DURATION: Final = timedelta(seconds=4)
SHORTEST_PAUSE: Final = timedelta(seconds=211)
LONGEST_PAUSE: Final = timedelta(seconds=300)

# A scan begins a little after it was due; the last second is left for that.
_LATENESS: Final = timedelta(seconds=1)
_STEP: Final = timedelta(microseconds=1)
_SPAN_STEPS: Final = (LONGEST_PAUSE - SHORTEST_PAUSE - _LATENESS) // _STEP


def next_scan(last_scan: datetime, entropy: Entropy) -> datetime:
    """Return when the scan after the one begun at `last_scan` begins.

    Returns:
        An instant 211 to 300 s later, so that no two scans are more than 5 minutes apart.

    Source:
        Exposure Notification Bluetooth Specification v1.2, "Scanning Behavior".
    """
    return last_scan + SHORTEST_PAUSE + entropy.below(_SPAN_STEPS + 1) * _STEP
