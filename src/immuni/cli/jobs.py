"""``immuni jobs``: what the system does by itself, and doing it now."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from immuni.cli.console import ConfigOption, JsonOption, console, print_json

app = typer.Typer(no_args_is_help=True, help="List the periodic jobs, or run one now.")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="IMMUNI_DATA_DIR", help="The data folder of the running system."
    ),
]


@app.command(name="list", epilog="Example: immuni jobs list --json")
def list_jobs(*, config: ConfigOption = None, json: JsonOption = False) -> None:
    """List the jobs: name, schedule (cron, UTC), meaning."""
    # The wiring knows every part of the system; commands that need none of it start faster.
    from immuni.deployment.configured import read_configured  # noqa: PLC0415
    from immuni.deployment.wiring.jobs import job_table  # noqa: PLC0415

    rows = list(job_table(read_configured(config)).values())
    if json:
        print_json([{"name": row.name, "cron": row.cron, "meaning": row.meaning} for row in rows])
        return
    table = Table("name", "cron (UTC)", "meaning")
    for row in rows:
        table.add_row(row.name, row.cron, row.meaning)
    console.print(table)


@app.command(epilog="Example: immuni jobs run publish --data-dir ./var")
def run(
    name: Annotated[str, typer.Argument(help="The job's name, as `immuni jobs list` shows it.")],
    *,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Run one job now, beside the schedule; running it twice does no harm."""
    from immuni.backend.jobs import UnknownJobError  # noqa: PLC0415 - as above
    from immuni.deployment.wiring.jobs import run_job_now, settings_file_in  # noqa: PLC0415 - as above

    try:
        figures = dict(asyncio.run(run_job_now(name, config or settings_file_in(data_dir))))
    except UnknownJobError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from error
    if json:
        print_json({"job": name, "figures": figures})
    else:
        told = ", ".join(f"{figure} {value}" for figure, value in figures.items())
        console.print(f"{name} is done" + (f": {told}." if told else "."))
