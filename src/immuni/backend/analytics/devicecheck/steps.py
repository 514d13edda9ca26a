"""The steps by which a token is authorised: from a step and its answer to the next step.

Pure: time and randomness are arguments, and what was decided is stored before it is done. So a row
tells at each moment which call may be under way, and whoever finds it goes on from there.

The bits of a device have no compare-and-set. Two requests of one device see each other unless the
second look of each comes before the mark of the other.

Source:
    Analytics, "iOS: analytics token and DeviceCheck".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from immuni.backend.analytics.devicecheck.answers import (
    Answer,
    Bits,
    DeviceState,
    Failure,
    Said,
)
from immuni.backend.analytics.rules import first_of_month
from immuni.entropy import Entropy

MAX_FAILURES: Final = 8
"""With so many calls that failed an authorisation is given up; the phone asks again."""
_FIRST_BACKOFF: Final = timedelta(seconds=1)
_LONGEST_BACKOFF: Final = timedelta(seconds=60)
_CALLS: Final = 6 + MAX_FAILURES


class Step(StrEnum):
    """What is to be done next, or may just be under way."""

    FIRST_LOOK = "first-look"
    SECOND_LOOK = "second-look"
    MARK = "mark"
    CHECK = "check"
    CLEAR = "clear"
    BLACKLIST = "blacklist"
    DOUBT = "doubt"
    UNMARK = "unmark"


WRITES: Final[Mapping[Step, Bits]] = {
    Step.MARK: Bits.IN_PROGRESS,
    Step.CLEAR: Bits.DEFAULT,
    Step.BLACKLIST: Bits.BLACKLISTED,
    Step.UNMARK: Bits.DEFAULT,
}
"""What a step writes; the others query."""


class Outcome(StrEnum):
    """How an authorisation ends."""

    AUTHORISED = "authorised"
    NOT_GENUINE = "not_genuine"
    ALREADY_USED = "already_used"
    BLACKLISTED = "blacklisted"
    UNDONE = "undone"
    GAVE_UP = "gave_up"
    MONTH_OVER = "month_over"


@dataclass(frozen=True, slots=True)
class Waits:
    """How long is waited, and what follows from it.

    Attributes:
        max_read_time: Longest wait between the two looks.
        check_time: Wait between the mark and the check.
        timeout: Longest that a call takes.
    """

    max_read_time: timedelta
    check_time: timedelta
    timeout: timedelta

    @property
    def longest(self) -> timedelta:
        """Longest that an authorisation takes while somebody works on it."""
        backoffs = sum(map(backoff_bound, range(MAX_FAILURES)), timedelta())
        return self.max_read_time + self.check_time + backoffs + 2 * _CALLS * self.timeout


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an authorisation has come.

    Attributes:
        step: What is to be done.
        failures: How many of its calls have failed.
        month: First day of the month in which it began.
    """

    step: Step
    failures: int
    month: date


@dataclass(frozen=True, slots=True)
class Next:
    """The authorisation goes on.

    Attributes:
        progress: Stored before anything else is done.
        wait: How long nothing is done; None where the call follows at once.
    """

    progress: Progress
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class End:
    """The authorisation has ended; everything about it is deleted."""

    outcome: Outcome


Move: TypeAlias = Next | End


def begun(today: date) -> Progress:
    """Return where an authorisation begins."""
    return Progress(Step.FIRST_LOOK, failures=0, month=first_of_month(today))


def resumed(progress: Progress) -> Progress:
    """Return where an authorisation goes on whose holder was interrupted.

    A mark is only made straight after a second look. Whoever finds one does not know whether it was
    made: he looks, and makes no second one on top of a look that has become old.
    """
    return replace(progress, step=Step.DOUBT) if progress.step is Step.MARK else progress


def backoff_bound(failures: int) -> timedelta:
    """Return how long is waited at most after so many failures before this one."""
    return min(_FIRST_BACKOFF * 2.0**failures, _LONGEST_BACKOFF)


def decide(
    progress: Progress, answer: Answer, *, today: date, waits: Waits, entropy: Entropy
) -> Move:
    """Return what follows from a call's answer.

    Args:
        progress: The step whose call it was.
        answer: What it came to.
        today: The day in UTC, after the answer.
        waits: How long is waited.
        entropy: Draws the waits.
    """
    if first_of_month(today) != progress.month:
        # Bits of another month's authorisation must not be touched; a mark that is left behind
        # counts as none.
        return End(Outcome.MONTH_OVER)
    match answer:
        case Said.NOT_GENUINE:
            return End(Outcome.NOT_GENUINE)
        case Said.WRITTEN:
            return _after_writing(progress, waits)
        case Failure():
            return _after_failure(progress, entropy)
        case DeviceState():
            return _after_looking(progress, answer, waits, entropy)


def _after_writing(progress: Progress, waits: Waits) -> Move:
    match progress.step:
        case Step.MARK:
            return Next(replace(progress, step=Step.CHECK), waits.check_time)
        case Step.CLEAR:
            return End(Outcome.AUTHORISED)
        case Step.BLACKLIST:
            return End(Outcome.BLACKLISTED)
        case _:
            return End(Outcome.UNDONE)


def _after_failure(progress: Progress, entropy: Entropy) -> Move:
    if progress.failures + 1 >= MAX_FAILURES:
        return End(Outcome.GAVE_UP)
    again = replace(resumed(progress), failures=progress.failures + 1)
    bound = backoff_bound(progress.failures).total_seconds()
    return Next(again, timedelta(seconds=entropy.uniform(0, bound)))


def _after_looking(progress: Progress, state: DeviceState, waits: Waits, entropy: Entropy) -> Move:
    match progress.step:
        case Step.FIRST_LOOK | Step.SECOND_LOOK:
            return _looked(progress, state, waits, entropy)
        case Step.CHECK:
            return _checked(progress, state, entropy)
        case _:
            return _doubted(progress, state)


def _looked(progress: Progress, state: DeviceState, waits: Waits, entropy: Entropy) -> Move:
    """Go on with a device that was not used this month, twice."""
    is_used = state.updated_in is not None and state.updated_in >= progress.month
    if state.bits is Bits.BLACKLISTED:
        return End(Outcome.BLACKLISTED)
    if is_used and (state.bits is Bits.DEFAULT or progress.step is Step.FIRST_LOOK):
        # At the second look as well: however late it comes, somebody else may have come and gone.
        return End(Outcome.ALREADY_USED)
    if is_used or state.bits is Bits.UNUSED:
        return Next(replace(progress, step=Step.BLACKLIST))
    # A mark of an earlier month is one that we have left behind.
    if progress.step is Step.SECOND_LOOK:
        return Next(replace(progress, step=Step.MARK))
    read_time = entropy.uniform(0, waits.max_read_time.total_seconds())
    return Next(replace(progress, step=Step.SECOND_LOOK), timedelta(seconds=read_time))


def _checked(progress: Progress, state: DeviceState, entropy: Entropy) -> Move:
    """Authorise a device that still has our mark, and whose month is ours."""
    is_written_now = state.updated_in == progress.month
    match state.bits:
        case Bits.BLACKLISTED:
            return End(Outcome.BLACKLISTED)
        case Bits.IN_PROGRESS:
            # Where Apple is in another month, the device could have a second token in ours.
            return Next(replace(progress, step=Step.CLEAR if is_written_now else Step.UNMARK))
        case _ if is_written_now:
            return Next(replace(progress, step=Step.BLACKLIST))
    # Apple has confirmed our mark and knows nothing of it: no phone has done that.
    return _after_failure(progress, entropy)


def _doubted(progress: Progress, state: DeviceState) -> Move:
    """Find out whether a mark was made that nobody has confirmed; blame nobody for it."""
    is_used = state.updated_in is not None and state.updated_in >= progress.month
    if state.bits is Bits.BLACKLISTED:
        return End(Outcome.BLACKLISTED)
    if is_used and state.bits is Bits.IN_PROGRESS:
        return Next(replace(progress, step=Step.UNMARK))
    if is_used or state.bits is Bits.UNUSED:
        return End(Outcome.ALREADY_USED)
    return Next(replace(progress, step=Step.MARK))
