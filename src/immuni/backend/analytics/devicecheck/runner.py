"""Works on authorisations that are due.

What waits lies in the database and costs nothing: no task, no timer, no connection. Any number of
processes share the work; one that dies is replaced when its leases are over.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from immuni.backend.analytics.devicecheck import store
from immuni.backend.analytics.devicecheck.answers import Answer, DeviceCheck, Failure
from immuni.backend.analytics.devicecheck.metrics import DeviceCheckMetrics
from immuni.backend.analytics.devicecheck.steps import (
    WRITES,
    End,
    Move,
    Progress,
    Waits,
    decide,
    resumed,
)
from immuni.backend.errors import UnavailableError
from immuni.clock import Clock
from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.telemetry import logger

_POLL_SECONDS: Final = 5.0
"""How soon work is found that another process has left behind or begun."""
_PAUSE_SECONDS: Final = 1.0
_COUNT_SECONDS: Final = 10.0
_log = logger("devicecheck")


class Runner:
    """Makes the calls of authorisations, and stores what comes of them."""

    def __init__(
        self,
        pool: Pool,
        device_check: DeviceCheck,
        *,
        waits: Waits,
        calls: int,
        metrics: DeviceCheckMetrics,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """Work on what lies in the analytics database.

        Args:
            pool: Connections to it.
            device_check: Asks Apple.
            waits: How long is waited, and how long a call may take.
            calls: How many calls are made at once at most.
            metrics: Counts calls and outcomes.
            clock: Tells the month.
            entropy: Draws the waits.
        """
        self._pool = pool
        self._device_check = device_check
        self._waits = waits
        self._calls = calls
        self._metrics = metrics
        self._clock = clock
        self._entropy = entropy
        self._at_work: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._sleeps_until = math.inf
        self._more_is_due = False
        self._counted_at = -_COUNT_SECONDS

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work in the background for as long as the block runs, and finish what was begun."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            # A call has its time-out: this does not take long.
            await asyncio.gather(*self._at_work)

    def due_in(self, seconds: float) -> None:
        """Let work be looked for in so long, where it would be later else."""
        due_at = asyncio.get_running_loop().time() + seconds
        if due_at < self._sleeps_until:
            self._sleeps_until = due_at
            self._woken.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # What is said to be due while work is looked for is not missed.
            self._sleeps_until = math.inf
            try:
                pause = await self._take_what_is_due()
            except UnavailableError as error:
                _log.warning("authorisations_interrupted", kind=type(error).__name__)
                pause = _PAUSE_SECONDS
            self.due_in(pause)
            while (left := self._sleeps_until - loop.time()) > 0:
                self._woken.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._woken.wait()

    async def _take_what_is_due(self) -> float:
        """Begin to work on what is due, and return after how many seconds to look again."""
        room = self._calls - len(self._at_work)
        if room == 0:
            return _POLL_SECONDS
        begun_at = asyncio.get_running_loop().time()
        lease = 4 * self._waits.timeout
        taken = await store.claim(self._pool, limit=room, lease=lease)
        for held in taken:
            task = asyncio.create_task(self._work_on(held, begun_at))
            self._at_work.add(task)
            task.add_done_callback(self._worked_on)
        await self._count()
        self._more_is_due = len(taken) == room
        if self._more_is_due:
            # Whoever has done his work wakes us, unless there is room by now.
            return _POLL_SECONDS if len(self._at_work) == self._calls else 0
        wait = await store.next_due(self._pool)
        return _POLL_SECONDS if wait is None else min(max(0, wait.total_seconds()), _POLL_SECONDS)

    def _worked_on(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        if self._more_is_due:
            self.due_in(0)

    async def _work_on(self, held: store.Held, begun_at: float) -> None:
        try:
            await self._steps(held, begun_at)
        except UnavailableError as error:
            # The row is due again when the lease is over.
            _log.warning("authorisation_interrupted", kind=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - one that fails must not end the others
            _log.error("authorisation_failed", kind=type(error).__name__)

    async def _steps(self, held: store.Held, begun_at: float) -> None:
        """Make the call, and those that follow at once; then let go."""
        progress = resumed(held.progress)
        # A mark follows its look within two time-outs, and nothing outlives the lease of four.
        until = begun_at + 2 * self._waits.timeout.total_seconds()
        while True:
            answer = await self._call(held.device_token, progress, until)
            self._metrics.count_call(progress.step, answer)
            move = self._decide(progress, answer)
            if isinstance(move, End):
                if await store.end(self._pool, held, move.outcome):
                    self._metrics.count_outcome(move.outcome)
                return
            if not await store.proceed(self._pool, held, move):
                return
            if move.wait is not None:
                self.due_in(move.wait.total_seconds())
                return
            progress = move.progress

    async def _call(self, device_token: bytes, progress: Progress, until: float) -> Answer:
        left = timedelta(seconds=until - asyncio.get_running_loop().time())
        if left <= timedelta(0):
            # Stopped or held up meanwhile: somebody else may be at it already.
            return Failure.TIMED_OUT
        within = min(left, self._waits.timeout)
        bits = WRITES.get(progress.step)
        if bits is None:
            return await self._device_check.query(device_token, within=within)
        return await self._device_check.update(device_token, bits, within=within)

    def _decide(self, progress: Progress, answer: Answer) -> Move:
        today = self._clock.now().date()
        return decide(progress, answer, today=today, waits=self._waits, entropy=self._entropy)

    async def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._counted_at >= _COUNT_SECONDS:
            self._counted_at = now
            self._metrics.tell_waiting(await store.count_running(self._pool))
