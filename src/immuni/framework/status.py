"""Whether a phone's exposure notifications work, and if not, every reason why."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from immuni.framework.radio_use import NO_USE, RadioUse


class InactiveReason(Enum):
    """Why exposure notifications do not work.

    The last one a framework never says of itself: it lives in another process, which is silent.
    """

    NOT_STARTED = "not_started"
    PAUSED = "paused"
    PERMISSION_MISSING = "permission_missing"
    BLUETOOTH_OFF = "bluetooth_off"
    RADIO_LOST = "radio_lost"
    STORE_FULL = "store_full"
    STORE_DAMAGED = "store_damaged"
    STORE_FAILED = "store_failed"
    CLOCK_TURNED_BACK = "clock_turned_back"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Status:
    """The state of exposure notifications on one phone.

    Attributes:
        reasons: Why they do not work; none when they do.
        key_storage: Where the key of the phone's database is kept, in words.
        paused_until: When a pause ends by itself; None where it does not, or there is none.
        radio_error: What the radio said last where it does not work, for people.
        radio_use: What the radio did since the phone was switched on.
    """

    reasons: frozenset[InactiveReason]
    key_storage: str
    paused_until: datetime | None = None
    radio_error: str | None = None
    radio_use: RadioUse = NO_USE

    @property
    def active(self) -> bool:
        """Whether the phone broadcasts and listens."""
        return not self.reasons
