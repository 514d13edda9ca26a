"""Processes of a running system, seen from outside, and waiting for their end."""

import os
import select
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def processes_naming(text: str | Path) -> dict[int, str]:
    """Return the command lines of all processes that have `text` in theirs, by number."""
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has ended since the folder was listed.
        if os.fsencode(text) in command:
            found[int(folder.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


@dataclass(frozen=True, slots=True)
class HeldProcess:
    """A process that is held on to, so that its number cannot come to mean another one."""

    pid: int
    command: str
    descriptor: int

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end, and tell whether it came in time."""
        poller = select.poll()
        poller.register(self.descriptor, select.POLLIN)
        return bool(poller.poll(seconds * 1000))


@contextmanager
def held(processes: dict[int, str]) -> Iterator[list[HeldProcess]]:
    """Hold on to processes for as long as the context lasts."""
    with ExitStack() as stack:
        holding = []
        for pid, command in processes.items():
            descriptor = os.pidfd_open(pid)
            stack.callback(os.close, descriptor)
            holding.append(HeldProcess(pid, command, descriptor))
        yield holding


def survivors(processes: Iterable[HeldProcess], *, after_seconds: float) -> list[str]:
    """Wait until all have ended, or the time is up, and return the commands of those that live."""
    deadline = time.monotonic() + after_seconds
    return [
        process.command
        for process in processes
        if not process.ends_within(max(0, deadline - time.monotonic()))
    ]
