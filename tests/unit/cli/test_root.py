"""``immuni``: what all commands have in common."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer.main

from immuni import __version__
from immuni.cli import app
from tests.unit.cli.command_line import immuni

EXPECTED = {
    "up", "demo", "match", "serve", "export show", "export verify", "otp new", "otp check",
    "device run", "device status", "device start", "device stop", "device pause", "device resume",
    "device delete", "device repair", "key derive", "keys list", "keys new", "keys public",
    "keys retire", "keys rotate", "opendata budget", "opendata release", "opendata show",
    "radio check", "risk explain", "risk presets",
    "config get", "config set", "config diff", "config publish", "config history",
    "config rollback", "certs make", "certs list", "certs renew", "certs replace-authority",
    "jobs list", "jobs run", "settings show", "doctor",
    "app run", "app open",
    "decommission", "audit verify", "audit export", "portal invite", "portal deactivate",
}  # fmt: skip
FOR_MACHINES = EXPECTED - {"serve", "device run", "app run"}


def commands() -> Iterator[str]:
    """Return every command, by the words that call it."""
    root = typer.main.get_group(app)
    for name, command in root.commands.items():
        below = getattr(command, "commands", None)
        yield from [name] if below is None else [f"{name} {each}" for each in below]


def test_the_commands_are_those_that_scripts_rely_on() -> None:
    assert set(commands()) == EXPECTED


@pytest.mark.parametrize("command", sorted(EXPECTED))
def test_the_help_of_every_command_holds_an_example_of_it(command: str) -> None:
    for option in ("--help", "-h"):
        outcome = immuni(*command.split(), option)

        assert (outcome.code, outcome.err) == (0, "")
        assert re.search(rf"Example: (IMMUNI_\w+=\S+ )?immuni {command}\b", outcome.out)


@pytest.mark.parametrize("command", sorted(FOR_MACHINES))
def test_every_command_that_answers_can_answer_machines(command: str) -> None:
    assert "--json" in immuni(*command.split(), "--help").out


@pytest.mark.parametrize(
    "group", ["", *sorted({each.split()[0] for each in EXPECTED if " " in each})]
)
def test_a_group_lists_its_commands_and_alone_is_wrong_use(group: str) -> None:
    helped, alone = immuni(*group.split(), "--help"), immuni(*group.split())

    assert helped.code == 0
    listed = [each.removeprefix(group).split()[0] for each in EXPECTED if each.startswith(group)]
    assert all(name in helped.out for name in set(listed) - {"serve"})
    assert alone.code == 2


def test_the_help_tells_the_exit_codes() -> None:
    told = " ".join(immuni("--help").out.split())

    assert "0 done, 1 the answer is no, 2 wrong use, 78 wrong settings" in told


def test_the_version_is_told() -> None:
    assert immuni("--version").out == f"immuni {__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["up", "now"], ["serve", "x"]])
def test_wrong_use_is_exit_code_2_with_nothing_on_standard_output(arguments: list[str]) -> None:
    outcome = immuni(*arguments)

    assert (outcome.code, outcome.out) == (2, "")
    assert "Usage:" in outcome.err


def test_a_misspelt_command_gets_a_hint() -> None:
    assert "Did you mean 'export'" in " ".join(immuni("exprot").err.split())


@pytest.mark.parametrize(
    "arguments",
    [
        [*words, "--json"]
        for words in (
            ["otp", "new"],
            ["otp", "check", "nonsense"],
            ["jobs", "list"],
            ["settings", "show"],
            ["key", "derive", "00" * 16, "--start", "0"],
        )
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_machines_get_one_line_of_json_and_nothing_else(arguments: list[str]) -> None:
    outcome = immuni(*arguments)

    assert outcome.err == ""
    assert outcome.out.count("\n") == 1
    assert outcome.json is not None


def test_a_command_waits_for_no_other_commands_module() -> None:
    program = (
        "import sys\nfrom immuni.cli import main\n"
        "sys.argv[1:] = ['otp', 'new']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*(name for name in sys.modules if name.startswith('immuni.')))"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    imported = {module.decode() for module in told.stdout.splitlines()[-1].split()}
    others = {f"immuni.cli.{each.split()[0]}" for each in EXPECTED} - {"immuni.cli.otp"}
    assert "immuni.cli.otp" in imported
    assert imported & others == set()
