"""``immuni demo``, as people and machines run it."""

import json
import signal
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from immuni.clock import SystemClock
from immuni.demo.verdict import EXPECTED_SCORE
from tests.processes import held, processes_naming, survivors
from tests.running import ended, eventually, immuni

STEPS: Final = [
    "servers", "meeting", "code", "authorised", "upload", "published", "warned", "silent", "frugal",
]  # fmt: skip
WITHIN_SECONDS: Final = 60

pytestmark = pytest.mark.timeout(300)


def test_the_story_comes_out_right_and_leaves_nothing_behind(tmp_path: Path) -> None:
    day_before = SystemClock().now().date() - timedelta(days=2)

    outcome = ended("demo", "--data-dir", tmp_path, "--json")

    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.count("\n") == 1
    told = json.loads(outcome.stdout)
    assert list(told) == ["ok", "steps"]
    assert told["ok"] is True
    assert [step["step"] for step in told["steps"]] == STEPS
    facts = {step["step"]: step for step in told["steps"]}
    assert facts["upload"]["keys"] == 4
    assert facts["published"]["keys"] >= 140
    assert facts["warned"]["day"] in {
        day.isoformat() for day in (day_before, day_before + timedelta(days=1))
    }
    assert facts["warned"]["day"] == facts["meeting"]["day"]
    assert facts["warned"]["total_risk_score"] == EXPECTED_SCORE
    assert facts["frugal"]["heard"] > 0
    assert list(tmp_path.iterdir()) == []
    assert processes_naming(tmp_path) == {}


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_a_story_that_is_stopped_leaves_nothing_behind_either(
    wanted: signal.Signals, tmp_path: Path
) -> None:
    command = immuni("demo", "--data-dir", tmp_path, "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            eventually(
                lambda: list(tmp_path.glob("demo-*/immuni.toml")) or None,
                within_seconds=WITHIN_SECONDS,
            )
            with held(processes_naming(tmp_path)) as processes:
                process.send_signal(wanted)
                out, err = process.communicate(timeout=WITHIN_SECONDS)
                assert survivors(processes, after_seconds=WITHIN_SECONDS) == []
        finally:
            process.kill()

    assert (process.returncode, err) == (1, b"")
    assert json.loads(out) == {"ok": False, "reason": "it was stopped before its end", "steps": []}
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("something else")

    told = ended("demo", "--data-dir", tmp_path / "file", "--json")

    assert (told.returncode, told.stderr) == (1, "")
    answer = json.loads(told.stdout)
    assert list(answer) == ["ok", "reason", "steps"]
    assert answer["ok"] is False
    assert answer["steps"] == []
    assert "cannot be the data folder: Not a directory" in answer["reason"]

    for_people = ended("demo", "--data-dir", tmp_path / "file")

    assert for_people.returncode == 1
    assert for_people.stderr.startswith(f"immuni: {tmp_path / 'file'}/demo-")
    assert for_people.stderr.count("\n") == 1


def test_wrong_settings_are_exit_code_78(tmp_path: Path) -> None:
    outcome = ended("demo", "--data-dir", tmp_path, "--json", IMMUNI_EMBARGO="1h")

    assert (outcome.returncode, outcome.stdout) == (78, "")
    assert "embargo: '1h' from IMMUNI_EMBARGO is not a duration from 2h to 2d" in outcome.stderr
    assert list(tmp_path.iterdir()) == []
