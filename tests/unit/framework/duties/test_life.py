"""Driving duties: here simple ones, whose acts are written down."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from immuni.clock import ManualClock
from immuni.framework import InactiveReason, keep_living, live_until, run
from tests.unit.framework.phones import NOON

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Ticking:
    """A duty that is due again and again."""

    fault: InactiveReason | None = None

    def __init__(self, period: timedelta, *, first: datetime | None = NOON) -> None:
        self._period = period
        self._due = first
        self.acts: list[datetime] = []

    def next_due(self) -> datetime | None:
        return self._due

    def begin(self, now: datetime) -> None:
        self._due = now

    async def rest(self) -> None:
        self._due = None

    async def act(self, now: datetime) -> None:
        self.acts.append(now)
        self._due = now + self._period


class Ticker:
    """A phone with such duties."""

    def __init__(self, *duties: Ticking) -> None:
        self._duties = duties
        self.noticed: list[datetime] = []

    @property
    def duties(self) -> Sequence[Ticking]:
        return self._duties

    def next_due(self) -> datetime | None:
        return min(
            (due for duty in self._duties if (due := duty.next_due()) is not None), default=None
        )

    async def act(self, now: datetime) -> None:
        for duty in self._duties:
            if (due := duty.next_due()) is not None and due <= now:
                await duty.act(now)

    def notice(self, now: datetime) -> None:
        self.noticed.append(now)


async def test_compressed_time_stops_wherever_something_is_due() -> None:
    slow, fast = Ticking(HOUR), Ticking(20 * MINUTE)
    clock = ManualClock(NOON)

    await live_until(NOON + HOUR, [Ticker(slow), Ticker(fast)], clock)

    assert slow.acts == [NOON, NOON + HOUR]
    assert fast.acts == [NOON + minutes * MINUTE for minutes in (0, 20, 40, 60)]
    assert clock.now() == NOON + HOUR


async def test_compressed_time_arrives_also_when_nothing_is_due() -> None:
    clock = ManualClock(NOON)

    await live_until(NOON + HOUR, [Ticker(Ticking(HOUR, first=None))], clock)

    assert clock.now() == NOON + HOUR


async def test_what_is_overdue_is_done_now_and_once() -> None:
    duty = Ticking(HOUR, first=NOON - 10 * HOUR)
    clock = ManualClock(NOON)

    await live_until(NOON, [Ticker(duty)], clock)

    assert duty.acts == [NOON]


async def test_compressed_time_never_goes_back() -> None:
    clock = ManualClock(NOON)

    await live_until(NOON - HOUR, [Ticker(Ticking(HOUR))], clock)

    assert clock.now() == NOON


class ShowIsOverError(Exception):
    """The time that a test lets pass is over."""


class PassingSleep:
    """A sleep that moves the clock instead of waiting."""

    def __init__(self, clock: ManualClock, end: datetime) -> None:
        self._clock = clock
        self._end = end
        self.longest = timedelta()

    async def __call__(self, seconds: float) -> None:
        pause = timedelta(seconds=seconds)
        self.longest = max(self.longest, pause)
        if self._clock.now() + pause > self._end:
            raise ShowIsOverError
        self._clock.advance(pause)
        await asyncio.sleep(0)


async def live_in_real_time(phone: Ticker, clock: ManualClock, end: datetime) -> PassingSleep:
    sleep = PassingSleep(clock, end)
    with pytest.raises(ExceptionGroup) as over:
        await run(phone, clock=clock, sleep=sleep)
    assert over.group_contains(ShowIsOverError)
    return sleep


async def test_real_time_does_what_is_due_and_looks_up_now_and_then() -> None:
    clock = ManualClock(NOON)
    duty = Ticking(MINUTE)
    phone = Ticker(duty)

    sleep = await live_in_real_time(phone, clock, NOON + 10 * MINUTE)

    assert duty.acts == [NOON + minutes * MINUTE for minutes in range(11)]
    assert sleep.longest <= timedelta(seconds=10)
    assert len(phone.noticed) >= 60


async def test_real_time_finds_out_that_a_duty_at_rest_began() -> None:
    class Waking(Ticker):
        def notice(self, now: datetime) -> None:
            if now >= NOON + MINUTE and resting.next_due() is None:
                resting.begin(now)

    clock = ManualClock(NOON)
    resting = Ticking(HOUR, first=None)

    await live_in_real_time(Waking(resting), clock, NOON + 2 * MINUTE)

    assert resting.acts == [NOON + MINUTE]


async def test_in_real_time_a_long_act_does_not_hold_up_another_duty() -> None:
    class Endless(Ticking):
        async def act(self, now: datetime) -> None:
            self.acts.append(now)
            await asyncio.Event().wait()

    clock = ManualClock(NOON)
    endless, punctual = Endless(HOUR), Ticking(MINUTE)

    await live_in_real_time(Ticker(endless, punctual), clock, NOON + 10 * MINUTE)

    assert endless.acts == [NOON]
    assert len(punctual.acts) == 11


async def test_a_fault_that_nobody_foresaw_in_one_duty_does_not_interrupt_another() -> None:
    class Faulty(Ticking):
        async def act(self, now: datetime) -> None:
            self.acts.append(now)
            raise ZeroDivisionError

    class Slow(Ticking):
        async def act(self, now: datetime) -> None:
            while clock.now() < now + MINUTE:  # noqa: ASYNC110 - the other duty moves the clock
                await asyncio.sleep(0)
            await super().act(now)

    clock = ManualClock(NOON)
    faulty, slow = Faulty(HOUR), Slow(2 * MINUTE)
    told: list[BaseException] = []
    sleep = PassingSleep(clock, NOON + 10 * MINUTE)

    with pytest.raises(ExceptionGroup) as over:
        await keep_living(Ticker(faulty, slow), clock=clock, on_fault=told.append, sleep=sleep)

    assert over.group_contains(ShowIsOverError)
    assert ZeroDivisionError in {type(fault) for fault in told}
    assert len(faulty.acts) > 50
    assert len(slow.acts) >= 5
