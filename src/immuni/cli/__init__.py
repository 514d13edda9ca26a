"""The command line: one module per group of commands, one table from error to exit code.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 78 wrong settings.
"""

import errno
import os
import sys
from typing import Annotated

import typer

from immuni import __version__
from immuni.cli.commands import Commands
from immuni.cli.console import ANSWER_IS_NO, DONE, WRONG_SETTINGS, console, print_error
from immuni.errors import ImmuniError
from immuni.settings import SettingsError
from immuni.telemetry import configure_logs

app = typer.Typer(
    name="immuni",
    cls=Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 the answer is no, 2 wrong use, 78 wrong settings.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the signature that typer calls
    if wanted:
        console.print(f"immuni {__version__}")
        raise typer.Exit(DONE)


@app.callback()
def root(
    *,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A privacy-preserving exposure notification system for a whole country."""
    # Standard output belongs to the answer; a command that serves sets its own logs.
    configure_logs(level="warning", json=False)


def main() -> None:
    """Run the command line of this process; foreseen errors end in one line and a code."""
    try:
        app()
    except SettingsError as error:
        print_error("some settings are wrong, nothing was started:")
        for fault in error.faults:
            print_error(f"  {fault}")
        sys.exit(WRONG_SETTINGS)
    except ImmuniError as error:
        print_error(str(error))
        sys.exit(ANSWER_IS_NO)
    except OSError as error:
        if error.errno is None:
            raise
        # The reader of our output has gone, or the disk is full: what is left in the buffer has
        # nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:
            print_error(str(error))
        sys.exit(ANSWER_IS_NO)
