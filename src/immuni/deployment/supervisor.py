"""One process tree: start every role, wait until all answer, restart what falls, stop cleanly.

A role tells that it answers by printing one line on its standard output; its log goes to a file.
"""

import asyncio
import ctypes
import signal
import sys
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
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


class Supervisor:
    """Keeps the processes of a system alive until it is told to stop."""

    def __init__(
        self,
        *,
        settings_file: Path,
        logs: Mapping[Role, Path],
        environment: Mapping[str, str],
        lock: FolderLock,
        clock: Clock,
    ) -> None:
        """Know what to run; nothing is started yet.

        Args:
            settings_file: What every process reads, above which stands its environment.
            logs: The roles to run, each with the file for its standard error.
            environment: What every process gets to see.
            lock: Held by every process: when the supervisor is killed, the next one waits until
                all of them have ended.
            clock: Tells how often a process fell of late.
        """
        self._settings_file = settings_file
        self._logs = logs
        self._lock = lock
        self._clock = clock
        self._roles = tuple(logs)
        self._environment = dict(environment)
        self._processes: dict[Role, Process] = {}
        self._stopping = False

    async def start(self) -> None:
        """Start every role and return when all of them answer.

        Raises:
            RoleFailedError: One ended or stayed silent; whatever had started was stopped.
        """
        try:
            await self._for_each_role(self._spawn)
        except BaseException:
            await self.stop()
            raise

    async def watch(self) -> None:
        """Restart what falls, for ever.

        Raises:
            RoleFailedError: A role fell too often within a minute; the others still run.
        """
        await self._for_each_role(self._keep)

    async def stop(self) -> None:
        """Ask every process to end; end those by force that do not."""
        self._stopping = True
        await asyncio.gather(*(_end(process) for process in self._processes.values()))

    async def _for_each_role(self, work: Callable[[Role], Awaitable[None]]) -> None:
        tasks = [asyncio.ensure_future(work(role)) for role in self._roles]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _keep(self, role: Role) -> None:
        falls: deque[datetime] = deque(maxlen=_RESTARTS + 1)
        while True:
            exit_code = await self._processes[role].wait()
            if self._stopping:
                return
            _log.warning("role_fell", role=str(role), exit_code=exit_code)
            falls.append(self._clock.now())
            if len(falls) > _RESTARTS and falls[-1] - falls[0] < _RESTART_WINDOW:
                raise RoleFailedError(
                    f"{role} fell {len(falls)} times in a minute; see {self._logs[role]}"
                )
            await asyncio.sleep(_RESTART_PAUSE.total_seconds())
            try:
                await self._spawn(role)
            except RoleFailedError:
                # One that does not come up again has fallen once more.
                await _end(self._processes[role])

    async def _spawn(self, role: Role) -> None:
        with self._logs[role].open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "immuni",
                "serve",
                role,
                "--config",
                str(self._settings_file),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                pass_fds=(self._lock.fileno(),),
                preexec_fn=_end_with_parent,
                start_new_session=True,
            )  # fmt: skip - the command line reads as one
        self._processes[role] = process
        await self._wait_until_ready(role, process)

    async def _wait_until_ready(self, role: Role, process: Process) -> None:
        stdout = process.stdout
        if stdout is None:
            raise RoleFailedError(f"{role} has no standard output")
        try:
            async with asyncio.timeout(_READY_WITHIN.total_seconds()):
                line = await stdout.readline()
        except TimeoutError:
            line = b""
        if line != READY_LINE:
            raise RoleFailedError(f"{role} did not come up; see {self._logs[role]}")


async def _end(process: Process) -> None:
    """Ask a process to end, and end it by force when it does not."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOPPED_WITHIN.total_seconds()):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _end_with_parent() -> None:
    """Let the kernel end this process when its supervisor is gone, however that ended."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
