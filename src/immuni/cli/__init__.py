"""The command line: one module per group of commands, one table from error to exit code.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 78 wrong settings.
"""

import errno
import os
import sys
from typing import Annotated

import typer

from immuni import __version__
from immuni.cli import (
    audit,
    certs,
    config,
    device,
    export,
    jobs,
    key,
    keys,
    opendata,
    otp,
    portal,
    radio,
    risk,
    settings,
)
from immuni.cli.console import ANSWER_IS_NO, DONE, WRONG_SETTINGS, console, print_error
from immuni.cli.decommission import decommission
from immuni.cli.demo import demo
from immuni.cli.doctor import doctor
from immuni.cli.match import match
from immuni.cli.up import serve, up
from immuni.errors import ImmuniError
from immuni.settings import SettingsError
from immuni.telemetry import configure_logs

app = typer.Typer(
    name="immuni",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 done, 1 the answer is no, 2 wrong use, 78 wrong settings.",
)
app.command(epilog="Example: immuni up --data-dir ./var --base-port 8400")(up)
app.command(epilog="Example: immuni demo --json")(demo)
app.command(epilog="Example: immuni doctor --data-dir ./var")(doctor)
app.command(epilog="Example: immuni decommission --data-dir ./var")(decommission)
app.command(epilog="Example: immuni match --export chunk.zip --sightings heard.csv")(match)
app.command(hidden=True, epilog="Example: immuni serve get --config ./immuni.toml")(serve)
app.add_typer(device.app, name="device")
app.add_typer(export.app, name="export")
app.add_typer(opendata.app, name="opendata")
app.add_typer(otp.app, name="otp")
app.add_typer(portal.app, name="portal")
app.add_typer(key.app, name="key")
app.add_typer(keys.app, name="keys")
app.add_typer(radio.app, name="radio")
app.add_typer(risk.app, name="risk")
app.add_typer(jobs.app, name="jobs")
app.add_typer(audit.app, name="audit")
app.add_typer(certs.app, name="certs")
app.add_typer(config.app, name="config")
app.add_typer(settings.app, name="settings")


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
