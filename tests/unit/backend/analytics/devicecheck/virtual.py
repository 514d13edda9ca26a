"""Authorisations in virtual time: the real steps, the stand-in's bits, and a network between them.

Every call takes its time to Apple and back, may fail in every way, and its caller may die at every
point. Nothing waits for real.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import count
from typing import Final

from immuni.backend.analytics.devicecheck.answers import Answer, Bits, DeviceState, Failure, Said
from immuni.backend.analytics.devicecheck.steps import (
    WRITES,
    End,
    Next,
    Outcome,
    Progress,
    Step,
    Waits,
    begun,
    decide,
    resumed,
)
from immuni.backend.analytics.rules import first_of_month
from immuni.entropy import SeededEntropy
from immuni.testing.apple import Devices

WAITS: Final = Waits(timedelta(seconds=3), timedelta(seconds=13), timedelta(seconds=5))
LEASE_SECONDS: Final = 20.0


class Trouble(Enum):
    """What may become of a call and of its caller."""

    NONE = auto()
    NOT_SENT = auto()
    ANSWER_LOST = auto()
    APPLIED_LATE = auto()
    KILLED_BEFORE = auto()
    KILLED_UNDER_WAY = auto()
    KILLED_AFTER = auto()


FAILED: Final = (Trouble.NOT_SENT, Trouble.ANSWER_LOST, Trouble.APPLIED_LATE)


@dataclass
class Authorisation:
    """One request's authorisation, and when Apple saw what.

    Attributes:
        looked_at: When Apple answered the last look before the mark, in seconds.
        marked_at: When Apple made the mark.
        outcome: How it ended; None while it runs.
    """

    device: str
    progress: Progress
    looked_at: float = 0.0
    marked_at: float = 0.0
    outcome: Outcome | None = None
    on_end: Callable[[], None] = field(default=lambda: None)


class World:
    """Apple, the network, the processes that work on authorisations, and time."""

    def __init__(
        self,
        seed: int,
        *,
        start: datetime = datetime(2020, 6, 10, tzinfo=UTC),
        latency: tuple[float, float] = (0.01, 0.2),
        trouble: float = 0.0,
        outages: float = 0.0,
        longest_outage: timedelta = timedelta(days=40),
    ) -> None:
        """Begin.

        Args:
            seed: Of all that is drawn.
            start: When.
            latency: Least and most seconds of each way.
            trouble: How likely each call is to fail, or its caller to die.
            outages: How likely it is that nobody works for long after a caller has died.
            longest_outage: For how long at most.
        """
        self.entropy = SeededEntropy(seed)
        self.devices = Devices()
        self.trouble, self.outages, self.longest_outage = trouble, outages, longest_outage
        self.blacklisted = False
        self.now = 0.0
        self._start, self._latency = start, latency
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def at(self, moment: float, event: Callable[[], None]) -> None:
        """Let something happen."""
        heapq.heappush(self._events, (moment, next(self._number), event))

    def run(self) -> None:
        """Go on until nothing is left to happen."""
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()

    def clock(self) -> datetime:
        """Return what time it is."""
        return self._start + timedelta(seconds=self.now)

    def ask(self, device: str) -> Authorisation:
        """Begin an authorisation now."""
        new = Authorisation(device, begun(self.clock().date()))
        self._work(new, new.progress)
        return new

    def _work(self, of: Authorisation, progress: Progress) -> None:
        trouble = Trouble.NONE
        if self.entropy.uniform(0, 1) < self.trouble:
            trouble = list(Trouble)[1 + self.entropy.below(len(Trouble) - 1)]
        if trouble is Trouble.NOT_SENT:
            self.at(self.now + self._way(), lambda: self._answered(of, progress, Failure.THROTTLED))
            return
        if trouble is Trouble.KILLED_BEFORE:
            self._die(of)
            return
        arrives = self.now + self._way()
        if trouble is Trouble.APPLIED_LATE:
            arrives += self.entropy.uniform(0, 10)
        if trouble in FAILED:
            timeout = self.now + WAITS.timeout.total_seconds()
            self.at(timeout, lambda: self._answered(of, progress, Failure.TIMED_OUT))
        self.at(arrives, lambda: self._arrived(of, progress, trouble))
        if trouble is Trouble.KILLED_UNDER_WAY:
            self._die(of)

    def _arrived(self, of: Authorisation, progress: Progress, trouble: Trouble) -> None:
        answer = self._applied(of, progress)
        if trouble is Trouble.KILLED_AFTER:
            self.at(self.now + self._way(), lambda: self._die(of))
        elif trouble is Trouble.NONE:
            self.at(self.now + self._way(), lambda: self._answered(of, progress, answer))

    def _applied(self, of: Authorisation, progress: Progress) -> Answer:
        bits = WRITES.get(progress.step)
        if bits is not None:
            bit1, bit0 = bits.value
            self.devices.update(of.device, bit0=bit0, bit1=bit1, today=self.clock().date())
            self.blacklisted |= bits is Bits.BLACKLISTED
            if progress.step is Step.MARK:
                of.marked_at = self.now
            return Said.WRITTEN
        if progress.step in (Step.SECOND_LOOK, Step.DOUBT):
            of.looked_at = self.now
        return state_of(self.devices, of.device)

    def _answered(self, of: Authorisation, progress: Progress, answer: Answer) -> None:
        today = self.clock().date()
        move = decide(progress, answer, today=today, waits=WAITS, entropy=self.entropy)
        match move:
            case End():
                of.outcome = move.outcome
                of.on_end()
            case Next():
                of.progress = move.progress
                if move.wait is None:
                    self._work(of, move.progress)
                else:
                    later = self.now + move.wait.total_seconds()
                    self.at(later, lambda: self._work(of, resumed(move.progress)))

    def _die(self, of: Authorisation) -> None:
        """Let the row lie until its lease is over, or for long; then somebody goes on."""
        back = self.now + LEASE_SECONDS
        if self.entropy.uniform(0, 1) < self.outages:
            back += self.entropy.uniform(0, self.longest_outage.total_seconds())
        self.at(back, lambda: self._work(of, resumed(of.progress)))

    def _way(self) -> float:
        return self.entropy.uniform(*self._latency)


def state_of(devices: Devices, device: str) -> DeviceState:
    """Return a device's bits as the client reads them."""
    found = devices.query(device)
    if found is None:
        return DeviceState(Bits.DEFAULT, None)
    month = datetime.strptime(found.last_update_time, "%Y-%m").replace(tzinfo=UTC).date()
    return DeviceState(Bits((found.bit1, found.bit0)), first_of_month(month))


def overlap(one: Authorisation, other: Authorisation) -> bool:
    """Tell whether each of two looked before the other's mark."""
    return one.looked_at < other.marked_at and other.looked_at < one.marked_at
