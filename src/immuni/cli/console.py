"""How commands speak: to people on a terminal, to machines as JSON, through exit codes."""

import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

DONE: Final = 0
ANSWER_IS_NO: Final = 1
WRONG_USE: Final = 2
WRONG_SETTINGS: Final = 78

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", envvar="IMMUNI_CONFIG", help="A TOML file with settings."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def print_json(value: object) -> None:
    """Print one value as one line of JSON and flush, so that a reader on a pipe sees it at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_error(message: str) -> None:
    """Print one error for people, on one line; markup in the message is not interpreted."""
    # What other programs say, as PostgreSQL does, may go over several lines.
    line = " ".join(message.split()) if "\n" in message else message
    errors.print(f"immuni: {line}", style="red", markup=False)
