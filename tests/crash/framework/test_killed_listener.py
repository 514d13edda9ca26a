"""A phone is killed while it writes what it hears: at most the last scan is missing."""

import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from immuni.framework.store.scans import MOST_SIGHTINGS
from immuni.matching import PackedSightings
from tests.crash.framework.dying_listener import MOST_SCANS, SIGHTINGS_EACH, open_phone, scan

ROUNDS = 3


def phone(work: str, folder: Path, number: int) -> list[str]:
    """Return the command that runs a phone."""
    module = "tests.crash.framework.dying_listener"
    return [sys.executable, "-m", module, work, str(folder), str(number)]


def listen_and_be_killed(folder: Path, first: int, *, after: int) -> int:
    """Let a phone hear scans, and kill it in the midst; return the last that it acknowledged."""
    command = phone("listen", folder, first)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(after)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    return acknowledged[-1]


@pytest.mark.parametrize("deadly", [0, MOST_SIGHTINGS, SIGHTINGS_EACH - 1])
def test_a_phone_that_is_killed_within_a_scan_keeps_those_before(
    tmp_path: Path, deadly: int
) -> None:
    process = subprocess.run(phone("die", tmp_path, deadly), check=False)

    assert process.returncode == -signal.SIGKILL
    with open_phone(tmp_path) as store:
        assert list(store.sightings.all()) == scan(0)


def test_a_killed_phone_has_every_scan_that_it_acknowledged_and_no_half(tmp_path: Path) -> None:
    random = Random(1)  # noqa: S311 - repeatable on purpose, guards nothing
    following = 0
    heard = PackedSightings()
    for _ in range(ROUNDS):
        last = listen_and_be_killed(tmp_path, following, after=random.randrange(1, MOST_SCANS // 4))

        with open_phone(tmp_path) as store:
            heard = store.sightings.all()
        scans, rest = divmod(len(heard), SIGHTINGS_EACH)
        assert rest == 0
        assert last + 1 <= scans <= last + 2
        following = scans

    rpis = [sighting.rpi for number in range(following) for sighting in scan(number)]
    assert heard.rpis == b"".join(rpis)
