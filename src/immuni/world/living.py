"""Phones that live by themselves, in real time, and can be stopped while time is moved."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from immuni.app.phone import Phone
from immuni.clock import Clock
from immuni.framework import keep_living
from immuni.telemetry import logger

# A device is woken every few hours; people who watch two phones should not have to wait.
_SESSION_PAUSE: Final = timedelta(seconds=5)
_LONGEST_SESSION: Final = timedelta(seconds=30)
"""As operating systems do it: what an App does in the background ends some time."""
_log = logger("phones")


class Living:
    """Lets phones do what they do without their users: broadcast, listen, check."""

    def __init__(self, phones: Sequence[Phone], clock: Clock) -> None:
        """Prepare; use `running`."""
        self._phones = tuple(phones)
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let them live for as long as the context lasts."""
        self._begin()
        try:
            yield
        finally:
            await self._end()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Let somebody else drive them for as long as the context lasts."""
        await self._end()
        try:
            yield
        finally:
            self._begin()

    async def check(self) -> None:
        """Let each phone run a background session, as its operating system does now and then."""
        await asyncio.gather(*(_check(phone) for phone in self._phones))

    def _begin(self) -> None:
        for phone in self._phones:
            living = keep_living(phone.framework, clock=self._clock, on_fault=_tell_of)
            for duty in (living, _keep_checking(phone), phone.simulate_uploads()):
                self._tasks.append(asyncio.create_task(duty))

    async def _end(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        # One that has failed by itself must not keep the others from going on.
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_of(fault: BaseException) -> None:
    _log.error("phone_duty_failed", kind=type(fault).__name__)


async def _keep_checking(phone: Phone) -> None:
    while True:
        await _check(phone)
        await asyncio.sleep(_SESSION_PAUSE.total_seconds())


async def _check(phone: Phone) -> None:
    try:
        async with asyncio.timeout(_LONGEST_SESSION.total_seconds()):
            await phone.background_session()
    except Exception as error:  # noqa: BLE001 - a phone goes on, whatever one session met
        _log.error("background_session_failed", kind=type(error).__name__)
