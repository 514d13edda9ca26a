"""What a call to DeviceCheck comes to."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, StrEnum
from typing import Protocol, TypeAlias


class Bits(Enum):
    """The two bits that Apple keeps of a device for us, as (bit1, bit0)."""

    DEFAULT = (False, False)
    IN_PROGRESS = (False, True)
    UNUSED = (True, False)
    BLACKLISTED = (True, True)


@dataclass(frozen=True, slots=True)
class DeviceState:
    """What a query found.

    Attributes:
        bits: The bits; those of a device that has none are the default ones.
        updated_in: First day of the month in which they were last written; None for never.
    """

    bits: Bits
    updated_in: date | None


class Said(Enum):
    """Answers that hold no bits."""

    WRITTEN = "written"
    NOT_GENUINE = "not genuine"


class Failure(StrEnum):
    """Why there is no answer. What was to be written may be written all the same."""

    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    UNAUTHORISED = "unauthorised"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    GARBAGE = "garbage"


Answer: TypeAlias = DeviceState | Said | Failure


class DeviceCheck(Protocol):
    """Apple's two bits of each device."""

    async def query(self, device_token: bytes, *, within: timedelta) -> Answer:
        """Return what Apple knows of the device that made a token."""
        ...

    async def update(self, device_token: bytes, bits: Bits, *, within: timedelta) -> Answer:
        """Write the bits of the device that made a token."""
        ...


def kind_of(answer: Answer) -> str:
    """Return a word for the metrics."""
    return answer.value if isinstance(answer, Failure) else "answered"
