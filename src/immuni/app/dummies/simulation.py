"""Starts and sends simulated uploads, and makes way for the user.

Source:
    Traffic analysis mitigation, "Simulated upload sequences (phone)".
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo
from typing import Final

from msgspec.structs import replace

from immuni.api import Upload
from immuni.app.build import Build
from immuni.app.dummies.decision import (
    Kind,
    Simulates,
    continues,
    kind_of_next,
    next_opportunity,
    next_session,
    request_wait,
    start_wait,
    valid_opportunity,
    valid_session,
)
from immuni.app.dummies.memory import Opportunity
from immuni.app.packet import Envelope, check_packet, upload_packet
from immuni.app.record import AppRecord
from immuni.app.service_end import has_ended
from immuni.app.storage import AppStore
from immuni.app.transport import ServerAddress, ServerUnreachableError, exchange
from immuni.app.upload import TIMEOUT
from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.framework import StoreError
from immuni.otp import generate_otp, otp_hash

Sleep = Callable[[float], Awaitable[None]]

LOOK_AGAIN: Final = timedelta(minutes=5)
"""A device that sleeps stops the timers of its programs, so the clock is looked at in between."""
_NOTHING: Final = Upload(teks=(), province="RM")
"""No server reads it, and on the wire it has the size of everything."""


@dataclass(slots=True, kw_only=True)
class Simulation:
    """The simulated uploads of one phone.

    Attributes:
        build: Whom to ask, and on which platform.
        store: Where the next opportunity is kept.
        clock: The phone's.
        entropy: Draws.
        zone: The phone's time zone, None for that of the machine.
        sleep: Waits so many seconds.
    """

    build: Build
    store: AppStore
    clock: Clock
    entropy: Entropy
    zone: tzinfo | None = None
    sleep: Sleep = asyncio.sleep
    _is_in_foreground: bool = field(default=False, init=False)
    _task: asyncio.Task[None] | None = field(default=None, init=False)

    def came_to_foreground(self) -> None:
        """Begin a foreground session, unless one goes on: the only one on iOS to start a sequence.

        Elsewhere what runs is broken off; the next one was drawn when it started.
        """
        if self._is_in_foreground or not self._is_set_up:
            return
        self._is_in_foreground = True
        match self._simulates:
            case Simulates.IN_BACKGROUND:
                self.cancel()
            case Simulates.IN_FOREGROUND:
                # The user shall not notice that a simulation could not be planned.
                with suppress(StoreError):
                    self._plan()

    def left_foreground(self) -> None:
        """End the foreground session; what it has started goes on to its end."""
        self._is_in_foreground = False

    def cancel(self) -> None:
        """Drop what runs or is planned: the user comes first."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def live(self) -> None:
        """Start a sequence whenever one is due outside the foreground; never return.

        On iOS nothing is ever due there, so it may be awaited on every platform.
        """
        while True:
            wait = LOOK_AGAIN
            with suppress(StoreError):
                wait = self._until_next_look()
            await self.sleep(wait.total_seconds())
            with suppress(StoreError):
                if self._is_due():
                    self._task = asyncio.create_task(self._run())
                    await asyncio.wait({self._task})

    async def close(self) -> None:
        """Drop what runs, and wait until its connection is closed."""
        task = self._task
        self.cancel()
        if task is not None:
            await asyncio.wait({task})

    @property
    def _is_set_up(self) -> bool:
        record = self.store.record
        return record.onboarded_at is not None and not has_ended(record, now=self.clock.now())

    @property
    def _simulates(self) -> Simulates:
        return Simulates.on(self.build.platform)

    def _plan(self) -> None:
        if self._task is not None and not self._task.done():
            return
        now, settings = self.clock.now(), self.store.record.settings.values
        opportunity = self._keep(
            valid_opportunity(
                self.store.record.simulation, now=now, settings=settings, entropy=self.entropy
            )
        )
        wait = start_wait(opportunity, now=now, settings=settings, entropy=self.entropy)
        if wait is not None:
            self._task = asyncio.create_task(self._run(after=wait))

    def _until_next_look(self) -> timedelta:
        if not self._is_set_up or self._simulates is Simulates.IN_FOREGROUND:
            return LOOK_AGAIN
        now = self.clock.now()
        return max(min(self._session().opens_at - now, LOOK_AGAIN), timedelta())

    def _is_due(self) -> bool:
        if not self._is_set_up or self._simulates is Simulates.IN_FOREGROUND:
            return False
        if self.clock.now() < self._session().opens_at:
            return False
        if self._is_in_foreground:
            self._draw_next()
            return False
        return True

    def _session(self) -> Opportunity:
        return self._keep(
            valid_session(
                self.store.record.simulation,
                now=self.clock.now(),
                settings=self.store.record.settings.values,
                entropy=self.entropy,
                zone=self.zone,
            )
        )

    def _draw_next(self) -> None:
        now, settings = self.clock.now(), self.store.record.settings.values
        match self._simulates:
            case Simulates.IN_FOREGROUND:
                self._keep(next_opportunity(now, settings, self.entropy))
            case Simulates.IN_BACKGROUND:
                self._keep(next_session(now, settings, self.entropy, zone=self.zone))

    def _keep(self, opportunity: Opportunity) -> Opportunity:
        def kept(record: AppRecord) -> AppRecord:
            return replace(record, simulation=opportunity)

        self.store.update(kept)
        return opportunity

    async def _run(self, *, after: timedelta = timedelta()) -> None:
        await self.sleep(after.total_seconds())
        try:
            # Before the first dummy, so that a phone that is killed does not begin once more.
            self._draw_next()
        except StoreError:
            return
        await self._send_sequence()

    async def _send_sequence(self) -> None:
        sent = 0
        while True:
            await self._send()
            sent += 1
            settings = self.store.record.settings.values
            if not (self._is_set_up and continues(sent, settings, self.entropy)):
                return
            await self.sleep(request_wait(settings, self.entropy).total_seconds())

    async def _send(self) -> None:
        address = ServerAddress.parse(self.build.upload_url, tls=self.build.tls)
        # A person who got no answer tries again or gives up, as a sequence goes on or ends.
        with suppress(ServerUnreachableError):
            await exchange(self._packet(address), address, within=TIMEOUT)

    def _packet(self, address: ServerAddress) -> bytes:
        envelope = Envelope(
            authority=address.authority,
            token=otp_hash(generate_otp(self.entropy)),
            client_clock=self.clock.now(),
            size=self.store.record.settings.values.teks_packet_size,
            is_dummy=True,
        )
        match kind_of_next(self.entropy):
            case Kind.CHECK:
                return check_packet(envelope)
            case Kind.UPLOAD:
                return upload_packet(envelope, _NOTHING)
