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
) -> subprocess.CompletedProcess[str]:
    module = "tests.crash.app.dying_reporter"
    times = [since.isoformat(), until.isoformat()]
    command = [sys.executable, "-m", module, str(folder), *times, attestor]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)


def test_a_phone_that_is_killed_before_it_sends_is_silent_until_the_next_month(
    tmp_path: Path,
) -> None:
    killed = report(tmp_path, "deadly", since=JULY, until=AUGUST)
    assert killed.returncode == -signal.SIGKILL
    killed_at = datetime.fromisoformat(killed.stdout.splitlines()[-1])
    assert killed_at < AUGUST

    for since, until, sent in ((killed_at, AUGUST, 0), (AUGUST, SEPTEMBER, 1)):
        again = report(tmp_path, "ready", since=since, until=until)
        assert again.returncode == 0
        assert again.stdout.splitlines()[-1] == f"sent {sent}"
