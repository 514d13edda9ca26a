"""One process tree: start every role, wait until all answer, restart what falls, stop cleanly.

A role tells that it answers by printing one line on its standard output; its log goes to a file.
"""

import asyncio
import ctypes
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from immuni.clock import Clock
from immuni.deployment.roles import Role
from immuni.errors import ImmuniError

READY_LINE: Final = b"ready\n"
_READY_WITHIN: Final = timedelta(seconds=60)
_STOPPED_WITHIN: Final = timedelta(seconds=10)
_RESTARTS: Final = 5
_RESTART_WINDOW: Final = timedelta(minutes=1)
_RESTART_PAUSE: Final = timedelta(seconds=1)
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class RoleFailedError(ImmuniError, RuntimeError):
    """A process did not come up, or fell too often; all others were stopped."""


@dataclass(slots=True)
class _Child:
    role: Role
    process: asyncio.subprocess.Process
    started: deque[float] = field(default_factory=lambda: deque(maxlen=_RESTARTS + 1))


class Supervisor:
    """Keeps the processes of a system alive until it is told to stop."""

    def __init__(
        self,
        *,
        settings_file: Path,
        logs: Mapping[Role, Path],
        environment: Mapping[str, str],
        clock: Clock,
    ) -> None:
        """Know what to run; nothing is started yet.

        Args:
            settings_file: What every process reads, above which stands its environment.
            logs: The roles to run, each with the file for its standard error.
            environment: What every process gets to see.
            clock: Tells how often a process fell of late.
        """
        self._settings_file = settings_file
        self._logs = logs
        self._clock = clock
        self._roles = tuple(logs)
        self._environment = dict(environment)
        self._children: dict[Role, _Child] = {}
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
        await asyncio.gather(*(self._end(child.process) for child in self._children.values()))

    async def _for_each_role(self, work: Callable[[Role], Awaitable[None]]) -> None:
        tasks = [asyncio.ensure_future(work(role)) for role in self._roles]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _keep(self, role: Role) -> None:
        while True:
            child = self._children[role]
            await child.process.wait()
            if self._stopping:
                return
            now = self._clock.now().timestamp()
            child.started.append(now)
            falls = [at for at in child.started if at > now - _RESTART_WINDOW.total_seconds()]
            if len(falls) > _RESTARTS:
                raise RoleFailedError(
                    f"{role} fell {len(falls)} times in a minute; see {self._logs[role]}"
                )
            await asyncio.sleep(_RESTART_PAUSE.total_seconds())
            await self._spawn(role, child.started)

    async def _spawn(self, role: Role, started: deque[float] | None = None) -> None:
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
                preexec_fn=_end_with_parent,
                start_new_session=True,
            )  # fmt: skip - the command line reads as one
        child = _Child(role, process)
        if started is not None:
            child.started = started
        self._children[role] = child
        await self._wait_until_ready(child)

    async def _wait_until_ready(self, child: _Child) -> None:
        stdout = child.process.stdout
        if stdout is None:
            raise RoleFailedError(f"{child.role} has no standard output")
        try:
            async with asyncio.timeout(_READY_WITHIN.total_seconds()):
                line = await stdout.readline()
        except TimeoutError:
            line = b""
        if line != READY_LINE:
            raise RoleFailedError(f"{child.role} did not come up; see {self._logs[child.role]}")

    async def _end(self, process: asyncio.subprocess.Process) -> None:
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
