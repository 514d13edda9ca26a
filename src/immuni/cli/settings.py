"""``immuni settings show``: every setting, its value, where it comes from, what is allowed."""

import typer
from rich.table import Table

from immuni.cli.console import ConfigOption, JsonOption, console, print_json

app = typer.Typer(no_args_is_help=True, help="Look at the settings.")


@app.callback()
def group() -> None:
    """Look at the settings of the environment (IMMUNI_…) and the TOML file."""


@app.command(epilog="Example: IMMUNI_OTP_LIFETIME=3m immuni settings show")
def show(*, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Show every setting in force; exit code 78 and all faults when some are wrong."""
    # The wiring knows every part of the system; commands that need none of it start faster.
    from immuni.deployment.configured import shown_settings  # noqa: PLC0415

    rows = shown_settings(config)
    if json:
        print_json([row.as_json() for row in rows])
        return
    table = Table("name", "value", "from", "allowed", "meaning", show_lines=False)
    for row in rows:
        table.add_row(row.name, row.value, row.origin, row.wanted, row.meaning)
    console.print(table)
