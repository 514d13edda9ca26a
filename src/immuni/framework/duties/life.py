"""Driving phones through time: real time for a device, compressed time for virtual phones."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from immuni.clock import Clock, MovableClock
from immuni.framework.duties.duty import Duty

Sleep = Callable[[float], Awaitable[None]]
"""Waits for some seconds of real time."""
OnFault = Callable[[BaseException], object]
"""Learns of a fault that no duty foresaw."""

# A sleeping task does not notice a suspended machine, a clock that was set, or a switch that was
# turned: after so long it looks again.
_LONGEST_SLEEP: Final = timedelta(seconds=10)
_AFTER_FAULT: Final = timedelta(seconds=5)


class Phone(Protocol):
    """Something with duties."""

    @property
    def duties(self) -> Sequence[Duty]:
        """What it does again and again, each on its own."""
        ...

    def next_due(self) -> datetime | None:
        """Return when any of its duties is due next."""
        ...

    async def act(self, now: datetime) -> None:
        """Do whatever is due at `now`."""
        ...

    def notice(self, now: datetime) -> None:
        """Learn what time it is: where the clock went back, everything is planned anew."""
        ...


async def run(phone: Phone, *, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
    """Live in real time until cancelled.

    Each duty runs on its own, so that a change of identifier does not wait for the end of a scan.

    Args:
        phone: Whose duties to do.
        clock: Says when they are due.
        sleep: Waits in between.
    """
    async with asyncio.TaskGroup() as group:
        for duty in phone.duties:
            group.create_task(_keep_doing(phone, duty, clock, sleep))


async def keep_living(
    phone: Phone, *, clock: Clock, on_fault: OnFault, sleep: Sleep = asyncio.sleep
) -> None:
    """Live in real time until cancelled, whatever a duty may meet.

    What is old must be deleted and the radio be renewed also after a fault that nobody foresaw:
    such a fault is told, and a little later that duty goes on; the others never stopped.

    Args:
        phone: Whose duties to do.
        clock: Says when they are due.
        on_fault: Learns of a fault.
        sleep: Waits in between.
    """
    async with asyncio.TaskGroup() as group:
        for duty in phone.duties:
            group.create_task(_keep_trying(phone, duty, clock, sleep, on_fault))


async def live_until(instant: datetime, phones: Sequence[Phone], clock: MovableClock) -> None:
    """Move the clock to `instant`, stopping wherever a duty of a phone is due on the way.

    Args:
        instant: Where to arrive; what is due then is done too.
        phones: Those that share the clock.
        clock: Moved forwards only.
    """
    for phone in phones:
        phone.notice(clock.now())
    while (upcoming := _first_due(phones)) is not None and upcoming[0] <= instant:
        due, phone = upcoming
        if due > clock.now():
            clock.set(due)
        await phone.act(clock.now())
    if instant > clock.now():
        clock.set(instant)


async def _keep_trying(
    phone: Phone, duty: Duty, clock: Clock, sleep: Sleep, on_fault: OnFault
) -> None:
    while True:
        try:
            await _keep_doing(phone, duty, clock, sleep)
        except Exception as fault:  # noqa: BLE001 - a phone goes on, whatever one duty met
            on_fault(fault)
        await sleep(_AFTER_FAULT.total_seconds())


async def _keep_doing(phone: Phone, duty: Duty, clock: Clock, sleep: Sleep) -> None:
    while True:
        now = clock.now()
        phone.notice(now)
        due = duty.next_due()
        if due is not None and due <= now:
            await duty.act(now)
        else:
            pause = _LONGEST_SLEEP if due is None else min(due - now, _LONGEST_SLEEP)
            await sleep(pause.total_seconds())


def _first_due(phones: Sequence[Phone]) -> tuple[datetime, Phone] | None:
    due = [(when, phone) for phone in phones if (when := phone.next_due()) is not None]
    return min(due, key=lambda upcoming: upcoming[0], default=None)
