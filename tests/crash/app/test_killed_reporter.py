"""A phone is killed between the decision to report and the report: there is no second one."""

import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from tests.crash.app.dying_reporter import JULY

AUGUST = JULY + timedelta(days=31)
SEPTEMBER = AUGUST + timedelta(days=31)


def report(
    folder: Path, attestor: str, *, since: datetime, until: datetime
) -> tuple[int, dict[datetime, int]]:
    """Let a phone live in a process of its own.

    Returns:
        How the process ended, and how many reports there were when each session began.
    """
    module = "tests.crash.app.dying_reporter"
    times = [since.isoformat(), until.isoformat()]
    command = [sys.executable, "-m", module, str(folder), *times, attestor]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    lines = [line.split() for line in process.stdout.splitlines()]
    return process.returncode, {datetime.fromisoformat(at): int(count) for at, count in lines}


def test_a_phone_that_is_killed_before_it_sends_is_silent_until_the_next_month(
    tmp_path: Path,
) -> None:
    ended, sessions = report(tmp_path, "deadly", since=JULY, until=AUGUST)
    assert ended == -signal.SIGKILL

    ended, again = report(tmp_path, "ready", since=max(sessions), until=SEPTEMBER)

    assert ended == 0
    # What the last session of July did shows when the first of August begins.
    assert next(count for at, count in again.items() if at >= AUGUST) == 0
    assert max(again.values()) == 1
