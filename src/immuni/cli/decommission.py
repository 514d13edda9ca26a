"""``immuni decommission``: the end of the service, and the proof that nothing is left."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from immuni.cli.console import ANSWER_IS_NO, ConfigOption, JsonOption, console, print_json
from immuni.cli.jobs import DataDir

if TYPE_CHECKING:
    from immuni.deployment.decommission import Report


def decommission(
    *,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    now: Annotated[
        bool, typer.Option("--now", help="End today, whatever day is published.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Delete everything for good, once the service has ended, and prove that nothing is left.

    Codes, uploads, keys, chunks, analytics, operators' sessions, secrets and keys, virtual phones.
    Exit code 1 if anything is left, or the service's last day has not come.
    """
    # The deployment imports every part of the system; other commands start faster without it.
    from immuni.clock import SystemClock  # noqa: PLC0415
    from immuni.deployment import decommission as end  # noqa: PLC0415
    from immuni.deployment.wiring.jobs import settings_file_in  # noqa: PLC0415

    file, clock = config or settings_file_in(data_dir), SystemClock()
    if not now:
        asyncio.run(end.require_end(file, clock))
    if not yes:
        typer.confirm("Delete everything for good?", abort=True, err=True)
    if now:
        asyncio.run(end.end_today(file, clock))
    report = asyncio.run(end.decommission(file, clock))
    if json:
        print_json(report.as_json())
    else:
        _show(report)
    if report.left:
        raise typer.Exit(ANSWER_IS_NO)


def _show(report: "Report") -> None:
    from immuni.deployment.decommission import KEPT, TO_DO  # noqa: PLC0415 - as above

    table = Table("database", "table", "rows")
    for each in report.tables:
        table.add_row(each.database, each.table, "?" if each.rows is None else str(each.rows))
    table.add_row("chunk store", "files", str(report.chunk_files))
    console.print(table)
    console.print(f"Removed now: {', '.join(report.removed) or 'no file'}.", markup=False)
    for what, why in KEPT.items():
        console.print(f"Kept: {what}: {why}.", markup=False)
    for left in report.left:
        console.print(f"✗ Left: {left}", style="red", markup=False)
    if not report.left:
        console.print("✓ Nothing is left. What only you can do:")
        for task in TO_DO:
            console.print(f"  - {task}", markup=False)
