"""What goes wrong, on command."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus


class Mischief(StrEnum):
    """What happens to a call."""

    FAIL = "fail"
    GARBAGE = "garbage"
    HANG = "hang"
    DROP = "drop"


class When(StrEnum):
    """Whether the update of the call is applied nevertheless."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A command: what happens to which calls.

    Attributes:
        mischief: An answer of another status or without sense, none until the caller goes away, or
            a connection that is closed.
        when: Whether it happens before the call is carried out, or after.
        status: The status of a `FAIL`.
        text: The body of a `FAIL` or of `GARBAGE`.
        device: The device that is meant; any where None.
        number: Which of the device's calls is meant, counted from 1; any where None.
        times: To how many calls it happens.
    """

    mischief: Mischief
    when: When = When.BEFORE
    status: int = HTTPStatus.INTERNAL_SERVER_ERROR
    text: str = "Server error"
    device: str | None = None
    number: int | None = None
    times: int = 1


class Faults:
    """The commands that are not carried out yet."""

    def __init__(self) -> None:
        """Let everything go well."""
        self._left: list[tuple[Fault, int]] = []

    def add(self, faults: Iterable[Fault]) -> None:
        """Let something go wrong from now on."""
        self._left += [(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        """Let everything go well again."""
        self._left.clear()

    def take(self, device: str, number: int) -> Fault | None:
        """Return what happens to a call, and count it; None where nothing does."""
        for index, (fault, times) in enumerate(self._left):
            if fault.device in (None, device) and fault.number in (None, number):
                self._left[index : index + 1] = [(fault, times - 1)] if times > 1 else []
                return fault
        return None
