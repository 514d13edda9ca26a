"""One process tree: start every part, wait until all answer, restart what falls, stop cleanly.

A role tells that it answers by printing one line on its standard output; its log goes to a file.
"""

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from immuni.clock import Clock
from immuni.deployment.folder_lock import FolderLock
from immuni.deployment.roles import Role
from immuni.errors import ImmuniError
from immuni.telemetry import logger

READY_LINE: Final = b"ready\n"
_READY_WITHIN: Final = timedelta(seconds=60)
_STOPPED_WITHIN: Final = timedelta(seconds=10)
_RESTARTS: Final = 5
_RESTART_WINDOW: Final = timedelta(minutes=1)
_RESTART_PAUSE: Final = timedelta(seconds=1)
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_log = logger("supervisor")


class RoleFailedError(ImmuniError, RuntimeError):
    """A process did not come up, or fell too often; all others were stopped."""


async def says_ready(process: Process) -> bool:
    """Wait until a role prints that it answers, and return whether it did."""
    return process.stdout is not None and await process.stdout.readline() == READY_LINE


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a system.

    Attributes:
        name: What people call it.
        command: Its command line.
        log: The file for its standard error.
        answers: Waits until the process answers; False once it never will.
        stop_signal: Asks it to finish what was begun, and end.
        is_heard: Whether its standard output is read. Where it has children, it must not be: those
            that outlive it would keep the pipe open, and so hide its end.
    """

    name: str
    command: Sequence[str]
    log: Path
    answers: Callable[[Process], Awaitable[bool]] = says_ready
    stop_signal: signal.Signals = signal.SIGTERM
    is_heard: bool = True


def role_part(role: Role, *, settings_file: Path, log: Path) -> Part:
    """Return the process of a role.

    Args:
        role: What it does.
        settings_file: What it reads, above which stands its environment.
        log: The file for its standard error.
    """
    command = [sys.executable, "-m", "immuni", "serve", role, "--config", str(settings_file)]
    return Part(role, command, log)


class Supervisor:
    """Keeps the processes of a system alive until it is told to stop."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        environment: Mapping[str, str],
        lock: FolderLock,
        clock: Clock,
    ) -> None:
        """Know what to run; nothing is started yet.

        Args:
            parts: The processes, each with a name of its own.
            environment: What every process gets to see.
            lock: Held by every process: when the supervisor is killed, the next one waits until
                all of them have ended.
            clock: Tells how often a process fell of late.
        """
        self._parts = tuple(parts)
        self._lock = lock
        self._clock = clock
        self._environment = dict(environment)
        self._processes: dict[str, Process] = {}
        self._stopping = False

    async def start(self) -> None:
        """Start every part and return when all of them answer.

        Raises:
            RoleFailedError: One ended or stayed silent; whatever had started was stopped.
        """
        try:
            await self._for_each_part(self._spawn)
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Restart what falls, for ever.

        Raises:
            RoleFailedError: A process fell too often within a minute; the others still run.
        """
        await self._for_each_part(self._keep)

    async def stop(self) -> None:
        """Ask every process to end; end those by force that do not."""
        self._stopping = True
        running = [(part, self._processes.get(part.name)) for part in self._parts]
        await asyncio.gather(*(_end(part, process) for part, process in running if process))

    async def _for_each_part(self, work: Callable[[Part], Awaitable[None]]) -> None:
        tasks = [asyncio.ensure_future(work(part)) for part in self._parts]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _keep(self, part: Part) -> None:
        falls: deque[datetime] = deque(maxlen=_RESTARTS + 1)
        while True:
            process = self._processes[part.name]
            exit_code = await process.wait()
            if self._stopping:
                return
            _log.warning("role_fell", role=part.name, exit_code=exit_code)
            _kill_left_over(process)
            falls.append(self._clock.now())
            if len(falls) > _RESTARTS and falls[-1] - falls[0] < _RESTART_WINDOW:
                raise RoleFailedError(
                    f"{part.name} fell {len(falls)} times in a minute; see {part.log}"
                )
            await asyncio.sleep(_RESTART_PAUSE.total_seconds())
            try:
                await self._spawn(part)
            except RoleFailedError:
                # One that does not come up again has fallen once more.
                await _end(part, self._processes[part.name])

    async def _spawn(self, part: Part) -> None:
        with part.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *part.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if part.is_heard else asyncio.subprocess.DEVNULL,
                stderr=log,
                env=self._environment,
                pass_fds=(self._lock.fileno(),),
                preexec_fn=_end_with_parent,
                start_new_session=True,
            )
        self._processes[part.name] = process
        await _wait_until_it_answers(part, process)


async def _wait_until_it_answers(part: Part, process: Process) -> None:
    answers = False
    with suppress(TimeoutError):
        async with asyncio.timeout(_READY_WITHIN.total_seconds()):
            answers = await part.answers(process)
    if not answers:
        raise RoleFailedError(f"{part.name} did not come up; see {part.log}")


async def _end(part: Part, process: Process) -> None:
    """Ask a process to end, and end it by force when it does not."""
    if process.returncode is None:
        process.send_signal(part.stop_signal)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOPPED_WITHIN.total_seconds()):
                await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    _kill_left_over(process)


def _kill_left_over(process: Process) -> None:
    """Kill what a process that has ended started itself: it would keep the port."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _end_with_parent() -> None:
    """Let the kernel end this process when its supervisor is gone, however that ended."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
