"""What the documents show can be typed."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from tests.unit.cli.command_line import immuni
from tests.unit.docs.documents import DOCUMENTS, READMES, ROOT, code_of, commands_of, name_of

PROGRAM: Final = ".venv/bin/immuni"
# What these do needs a running system or an adapter, or is one; the integration tests run them.
NEEDS_A_SYSTEM: Final = (
    "app run",
    "up",
    "demo",
    "serve",
    "jobs run",
    "export verify var/",
    "radio check",
    "device",
    "doctor",
    "decommission",
    "audit",
)

PYTHON: Final = [each for each in DOCUMENTS if code_of(each, "python")]
COMMANDS: Final = [
    command
    for document in DOCUMENTS
    for command in commands_of(document)
    if command.startswith(f"{PROGRAM} ")
    and not command.removeprefix(f"{PROGRAM} ").startswith(NEEDS_A_SYSTEM)
]


@pytest.mark.parametrize("document", PYTHON, ids=name_of)
def test_python_in_a_document_runs(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for code in code_of(document, "python"):
        exec(compile(code, str(document), "exec"), {"__name__": "example"})  # noqa: S102 - our own


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_a_command_in_a_document_does_its_work(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(command)

    outcome = immuni(*arguments)

    assert program == PROGRAM
    assert outcome.code == 0, outcome.err


def test_both_readmes_show_the_same() -> None:
    english, italian = READMES

    assert commands_of(english) == commands_of(italian)
    assert code_of(english, "python") == code_of(italian, "python")


def test_what_a_document_wants_made_can_be_made() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for document in [*DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
        wanted = set(re.findall(r"(?:`|\$ )make ([a-z]+)", document.read_text("utf-8")))

        assert wanted <= targets, name_of(document)
