"""``immuni doctor``: what is wrong with a system, what it holds, and until when."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from immuni.cli.console import ANSWER_IS_NO, ConfigOption, JsonOption, console, print_json
from immuni.cli.jobs import DataDir

if TYPE_CHECKING:
    from immuni.deployment.doctor import Diagnosis


def doctor(
    *, data_dir: DataDir = Path("var"), config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Look a system over, running or stopped: what is wrong, what it holds, and until when.

    Counts below ten that tell about people are shown as <10.
    """
    # The deployment imports every part of the system; other commands start faster without it.
    from immuni.clock import SystemClock  # noqa: PLC0415
    from immuni.deployment.doctor import examine  # noqa: PLC0415
    from immuni.deployment.wiring.jobs import settings_file_in  # noqa: PLC0415

    diagnosis = asyncio.run(examine(config or settings_file_in(data_dir), SystemClock()))
    if json:
        print_json(diagnosis.as_json())
    else:
        _show(diagnosis)
    if not diagnosis.is_healthy:
        raise typer.Exit(ANSWER_IS_NO)


def _show(diagnosis: "Diagnosis") -> None:
    table = Table(
        "what is held", "count", "oldest gone by (UTC)", "all gone by (UTC)", title_justify="left"
    )
    for holding in diagnosis.holdings:
        moments = (holding.oldest_gone_by, holding.all_gone_by)
        told = [f"{each:%Y-%m-%d %H:%M}" if each else "" for each in moments]
        table.add_row(holding.kind, holding.shown_count, *told)
    console.print(table)
    for finding in diagnosis.findings:
        line = f"✗ {finding.check}: {finding.fault}. To do: {finding.remedy}."
        console.print(line, markup=False, style="red")
    if diagnosis.is_healthy:
        console.print(f"✓ Nothing is wrong with: {', '.join(diagnosis.checks)}.")
