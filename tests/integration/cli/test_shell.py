"""``immuni`` in a real shell: pipes that close, completion, interruption."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ended

PROGRAM = Path(sys.executable).parent / "immuni"
WITHIN_SECONDS = 60


def bash(script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in which ``immuni`` is found on the path."""
    path = f"{PROGRAM.parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=WITHIN_SECONDS,
        env=os.environ | {"PATH": path} | environment,
    )


@pytest.mark.parametrize("command", ["settings show", "settings show --json", "--help"])
def test_a_reader_that_goes_away_is_no_reason_to_complain(command: str) -> None:
    read_some = bash(f"immuni {command} | head -c 10")
    read_nothing = bash(f"exec 3> >(exec true); wait $!; immuni {command} >&3")

    assert read_some.stdout
    assert read_some.stderr == ""
    assert (read_nothing.returncode, read_nothing.stderr) == (1, "")


def test_an_output_that_is_full_is_told_in_one_line() -> None:
    full = bash("immuni otp new > /dev/full")

    assert full.returncode == 1
    assert full.stderr.startswith("immuni: ")
    assert full.stderr.count("\n") == 1


def test_the_completion_for_the_shell_is_printed() -> None:
    # The comment keeps the shell from making way for its last command.
    shown = bash("immuni --show-completion bash; true # bash")

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "_IMMUNI_COMPLETE=complete_bash" in shown.stdout
    assert bash(f"{shown.stdout}\ncomplete -p immuni").stdout.startswith("complete ")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("immuni ex", {"export"}),
        ("immuni export ", {"show", "verify"}),
        ("immuni jobs ", {"list", "run"}),
        ("immuni up --wi", {"--without-phones"}),
        ("immuni key derive --", {"--start", "--period", "--metadata", "--json", "--help"}),
    ],
)
def test_commands_and_options_are_completed(words: str, offered: set[str]) -> None:
    completed = bash(
        "immuni",
        _IMMUNI_COMPLETE="complete_bash",
        COMP_WORDS=words,
        COMP_CWORD=str(words.count(" ")),
    )

    assert (completed.returncode, completed.stderr) == (0, "")
    assert set(completed.stdout.split()) == offered


def test_the_program_and_the_module_are_the_same(tmp_path: Path) -> None:
    program = bash("immuni --version")
    module = ended("--version")

    assert program.stdout == module.stdout != ""
    assert not list(tmp_path.iterdir())


def test_colours_are_for_terminals_only() -> None:
    for command in ("--help", "otp check nonsense", "settings show"):
        outcome = bash(f"immuni {command}")
        assert "\x1b" not in outcome.stdout + outcome.stderr
