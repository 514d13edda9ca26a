"""One-time passwords on the command line: ``immuni otp new`` and ``immuni otp check``."""

from typing import Annotated

import typer

from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_error, print_json
from immuni.entropy import SystemEntropy
from immuni.otp import (
    LOOK_ALIKES,
    InvalidOtpError,
    generate_otp,
    grouped,
    normalise,
    otp_hash,
    parse_otp,
)

app = typer.Typer(no_args_is_help=True, help="Make and check one-time passwords.")


@app.command(epilog="Example: immuni otp new --json")
def new(*, json: JsonOption = False) -> None:
    """Draw a code as a phone does; with --json also the hash that it would send."""
    otp = generate_otp(SystemEntropy())
    if json:
        print_json({"otp": otp, "grouped": grouped(otp), "sha256": otp_hash(otp)})
    else:
        console.print(grouped(otp))


@app.command(epilog="Example: immuni otp check '9K2 RAY8 UUQ'")
def check(
    code: Annotated[str, typer.Argument(help="The code, with or without spaces or dashes.")],
    *,
    json: JsonOption = False,
) -> None:
    """Tell whether a code is well-formed: alphabet, length, check digit. Exit code 1 if not."""
    try:
        otp = parse_otp(normalise(code))
    except InvalidOtpError as error:
        if json:
            print_json({"valid": False, "reason": str(error), "look_alikes": list(LOOK_ALIKES)})
        else:
            print_error(f"{error}.")
        raise typer.Exit(ANSWER_IS_NO) from error
    if json:
        print_json({"valid": True, "otp": otp, "grouped": grouped(otp), "sha256": otp_hash(otp)})
    else:
        console.print(f"{grouped(otp)} is well-formed.")
