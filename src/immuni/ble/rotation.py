"""When identifier and address change, and what the new address looks like."""

from datetime import datetime, timedelta
from typing import Final

from immuni.entropy import Entropy

SHORTEST_BROADCAST: Final = timedelta(minutes=10)
LONGEST_BROADCAST: Final = timedelta(minutes=20)
ADDRESS_LENGTH: Final = 6

# A change takes effect a little after it was due; the last seconds are left for that.
_LATENESS: Final = timedelta(seconds=5)
_STEP: Final = timedelta(microseconds=1)
_SPAN_STEPS: Final = (LONGEST_BROADCAST - SHORTEST_BROADCAST - _LATENESS) // _STEP
_RANDOM_BITS: Final = 46
_ALL_ONES: Final = (1 << _RANDOM_BITS) - 1


def next_rotation(last_change: datetime, *, tek_ends_at: datetime, entropy: Entropy) -> datetime:
    """Return when RPI and address change next.

    Args:
        last_change: When both changed last.
        tek_ends_at: First instant that the present TEK does not cover.
        entropy: Decides on the moment.

    Returns:
        More than 10 and less than 20 minutes after `last_change`, or `tek_ends_at` where that
        is sooner.

    Privacy:
        A regular rhythm would let a listener follow a phone from one address to the next.

    Source:
        Exposure Notification Bluetooth Specification v1.2, "Broadcasting Behavior".
    """
    at_random = last_change + SHORTEST_BROADCAST + (1 + entropy.below(_SPAN_STEPS)) * _STEP
    return min(at_random, tek_ends_at)


def random_address(entropy: Entropy) -> bytes:
    """Make a random non-resolvable private address.

    Layout:
        6 bytes, least significant first, as on the air: the two top bits of the last are 00,
        the other 46 are random, neither all 0 nor all 1.

    Source:
        Bluetooth Core Specification, Volume 6, Part B, 1.3.2.2 "Private device address generation".
    """
    random_part = 0
    while random_part in (0, _ALL_ONES):
        random_part = int.from_bytes(entropy.token(ADDRESS_LENGTH), "little") & _ALL_ONES
    return random_part.to_bytes(ADDRESS_LENGTH, "little")


def is_non_resolvable(address: bytes) -> bool:
    """Tell whether `address`, as on the air, is a random non-resolvable private one."""
    number = int.from_bytes(address, "little")
    return len(address) == ADDRESS_LENGTH and 0 < number < _ALL_ONES
