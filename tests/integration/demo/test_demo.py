"""``immuni demo``, as people and machines run it."""

import json
import signal
import subprocess
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from immuni.clock import SystemClock
from immuni.demo.verdict import EXPECTED_SCORE
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.processes import held, processes_naming, survivors
from tests.running import ended, eventually, immuni
from tests.unit.cli import command_line

DOCUMENTED: Final = TOLD["demo"].answers[0]
WITHIN_SECONDS: Final = 60

pytestmark = pytest.mark.timeout(300)


def names_of_steps(told: Any) -> list[str]:  # noqa: ANN401 - JSON
    return [step["step"] for step in told["steps"]]


def test_the_story_comes_out_right_and_leaves_nothing_behind(tmp_path: Path) -> None:
    day_before = SystemClock().now().date() - timedelta(days=2)

    outcome = ended("demo", "--data-dir", tmp_path, "--json")

    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.count("\n") == 1
    told = json.loads(outcome.stdout)
    check_members(DOCUMENTED, told, where="demo")
    assert told["ok"] is True
    assert names_of_steps(told) == names_of_steps(DOCUMENTED.example())
    facts = {step["step"]: step for step in told["steps"]}
    assert facts["upload"]["keys"] == 4
    assert facts["published"]["keys"] >= 140
    assert facts["warned"]["day"] in {
        day.isoformat() for day in (day_before, day_before + timedelta(days=1))
    }
    assert facts["warned"]["day"] == facts["meeting"]["day"]
    assert facts["warned"]["total_risk_score"] == EXPECTED_SCORE
    assert facts["frugal"]["heard"] > 0
    assert facts["shown"]["phones"] == 12
    assert list(tmp_path.iterdir()) == []
    assert processes_naming(tmp_path) == {}


def begun(data_dir: Path, process: "subprocess.Popen[bytes]") -> bool | None:
    """Tell that a story is about to start its servers, or nothing."""
    assert process.poll() is None, process.communicate()
    return bool(list(data_dir.glob("demo-*/immuni.toml"))) or None


def test_a_story_that_is_stopped_leaves_nothing_behind_either(tmp_path: Path) -> None:
    command = immuni("demo", "--data-dir", tmp_path, "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            eventually(partial(begun, tmp_path, process), within_seconds=WITHIN_SECONDS)
            with held(processes_naming(tmp_path)) as processes:
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=WITHIN_SECONDS)
                assert survivors(processes, after_seconds=WITHIN_SECONDS) == []
        finally:
            process.kill()

    assert (process.returncode, err) == (1, b"")
    assert json.loads(out) == {"ok": False, "reason": "it was stopped before its end", "steps": []}
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("something else")

    for_people = command_line.immuni("demo", "--data-dir", tmp_path / "file")
    told = command_line.immuni("demo", "--data-dir", tmp_path / "file", "--json")

    assert (for_people.code, told.code, told.err) == (1, 1, "")
    assert for_people.err.startswith(f"immuni: {tmp_path / 'file'}/demo-")
    assert for_people.err.count("\n") == 1
    assert list(told.json) == ["ok", "reason", "steps"]
    assert told.json["ok"] is False
    assert told.json["steps"] == []
    assert "cannot be the data folder: Not a directory" in told.json["reason"]


def test_wrong_settings_are_exit_code_78(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMMUNI_EMBARGO", "1h")

    outcome = command_line.immuni("demo", "--data-dir", tmp_path, "--json")

    assert (outcome.code, outcome.out) == (78, "")
    assert "embargo: '1h' from IMMUNI_EMBARGO is not a duration from 2h to 2d" in outcome.err
    assert list(tmp_path.iterdir()) == []
