"""Whether a phone's exposure notifications work, and if not, every reason why."""

from dataclasses import dataclass
from enum import Enum


class InactiveReason(Enum):
    """Why exposure notifications do not work."""

    NOT_STARTED = "not_started"
    PERMISSION_MISSING = "permission_missing"
    BLUETOOTH_OFF = "bluetooth_off"
    RADIO_LOST = "radio_lost"
    STORE_FAILED = "store_failed"
    CLOCK_TURNED_BACK = "clock_turned_back"


@dataclass(frozen=True, slots=True)
class Status:
    """The state of exposure notifications on one phone.

    Attributes:
        reasons: Why they do not work; none when they do.
        key_storage: Where the key of the phone's database is kept, in words.
    """

    reasons: frozenset[InactiveReason]
    key_storage: str

    @property
    def active(self) -> bool:
        """Whether the phone broadcasts and listens."""
        return not self.reasons
