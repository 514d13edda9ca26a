"""The system as people run it: `immuni up` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from immuni.deployment.ports import free_block
from immuni.entropy import SystemEntropy

STOPPED_WITHIN_SECONDS: Final = 40
ENDED_WITHIN_SECONDS: Final = 100
_PAUSE_SECONDS: Final = 0.02

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """A system that answers.

    Attributes:
        process: Its supervisor.
        told: What it printed when it was ready.
        data_dir: Where it keeps everything.
        base_port: The first of its ports.
    """

    process: subprocess.Popen[str]
    told: Mapping[str, Any]
    data_dir: Path
    base_port: int

    def stop(self, wanted: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(wanted)
        return self.process.wait(STOPPED_WITHIN_SECONDS)


def immuni(*arguments: str | Path) -> list[str]:
    """Return the command line of ``immuni`` with these arguments."""
    return [sys.executable, "-m", "immuni", *map(str, arguments)]


def a_free_base_port() -> int:
    """Return the first of fourteen free ports."""
    return free_block(SystemEntropy().below(40_000))


def ended(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run ``immuni`` with these arguments until it ends by itself.

    Args:
        arguments: What follows the program's name.
        environment: Variables to set beside those of the tests.
    """
    return subprocess.run(
        immuni(*arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=ENDED_WITHIN_SECONDS,
        env=os.environ | environment,
    )


def eventually(attempt: Callable[[], T | None], *, within_seconds: float = 30) -> T:
    """Try until something comes of it, and return that; fail when the time is up.

    For what another process does and nobody tells: everything else has something to wait for.
    """
    deadline = time.monotonic() + within_seconds
    while (outcome := attempt()) is None:
        assert time.monotonic() < deadline, f"nothing came of it within {within_seconds} seconds"
        # Asking all the time would take the processor from the process that is waited for.
        time.sleep(_PAUSE_SECONDS)
    return outcome


@contextmanager
def running_system(
    data_dir: Path,
    *options: str,
    base_port: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningSystem]:
    """Run `immuni up` on a folder while the context lasts.

    Args:
        data_dir: The folder.
        options: More of the command line.
        base_port: The first of fourteen ports; free ones by default.
        environment: Variables to set beside those of the tests.
    """
    base_port = base_port or a_free_base_port()
    command = immuni(
        "up", "--data-dir", data_dir, "--base-port", str(base_port), "--json", *options
    )
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | dict(environment or {}),
    ) as process:
        try:
            yield RunningSystem(process, _read_announcement(process), data_dir, base_port)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(STOPPED_WITHIN_SECONDS)


def _read_announcement(process: subprocess.Popen[str]) -> Mapping[str, Any]:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line, process.stderr.read()
    told: Mapping[str, Any] = json.loads(line)
    return told
