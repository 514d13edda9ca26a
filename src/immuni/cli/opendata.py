"""``immuni opendata``: what is published of analytics, and what that cost of people's privacy."""

import asyncio
import csv
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from immuni.cli.console import ConfigOption, JsonOption, console, print_json
from immuni.clock import SystemClock

if TYPE_CHECKING:
    from immuni.backend.analytics.opendata.cells import OpenData, Row

app = typer.Typer(no_args_is_help=True, help="Release and show open data.")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="IMMUNI_DATA_DIR", help="The data folder of the running system."
    ),
]


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise typer.BadParameter("want a month like 2026-10") from error


Month = Annotated[
    date, typer.Argument(parser=_month, metavar="MONTH", help="A month like 2026-10.")
]


@app.callback()
def group() -> None:
    """Look after open data: counts of a month with noise that hides every single phone."""


@app.command(epilog="Example: immuni opendata release 2026-10")
def release(
    month: Month,
    *,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Release the month before this one, once and for all; releasing it again changes nothing.

    Its privacy budget is charged first, for good. Exit code 1 if it cannot be released.
    """
    # The deployment knows every part of the system; commands that need none of it start faster.
    from immuni.deployment.open_data import release_month  # noqa: PLC0415

    data = asyncio.run(release_month(_file(config, data_dir), month, SystemClock()))
    if json:
        print_json(_head(data) | {"cells": len(data.reports)})
    else:
        console.print(
            f"{data.month:%Y-%m} is released since {data.charged_on}: {len(data.reports)} cells, "
            f"epsilon {data.epsilon:.6g}. `immuni opendata show {data.month:%Y-%m}` shows them."
        )


@app.command(epilog="Example: immuni opendata show 2026-10 > 2026-10.csv")
def show(
    month: Month,
    *,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what was released of a month, with totals, as CSV; exit code 1 if nothing was."""
    from immuni.deployment.open_data import released_month  # noqa: PLC0415 - as above

    data, rows = asyncio.run(released_month(_file(config, data_dir), month))
    shown = [_shown(row, data.epsilon) for row in rows]
    if json:
        print_json(_head(data) | {"rows": shown})
        return
    table = csv.DictWriter(sys.stdout, ["month", *shown[0]], lineterminator="\n")
    table.writeheader()
    table.writerows({"month": f"{data.month:%Y-%m}"} | row for row in shown)


@app.command(epilog="Example: immuni opendata budget --json")
def budget(
    *, data_dir: DataDir = Path("var"), config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Show what open data have cost so far, month by month."""
    from immuni.deployment.open_data import privacy_budget  # noqa: PLC0415 - as above

    charges = asyncio.run(privacy_budget(_file(config, data_dir)))
    if json:
        print_json(
            [
                {
                    "month": f"{each.month:%Y-%m}",
                    "epsilon": each.epsilon,
                    "charged_on": each.charged_on.isoformat(),
                    "published": each.is_published,
                }
                for each in charges
            ]
        )
        return
    table = Table("month", "epsilon", "charged on", "published")
    for each in charges:
        outcome = "yes" if each.is_published else "no, and never will be"
        table.add_row(f"{each.month:%Y-%m}", f"{each.epsilon:.6g}", f"{each.charged_on}", outcome)
    console.print(table)


def _file(config: Path | None, data_dir: Path) -> Path:
    from immuni.deployment.wiring.jobs import settings_file_in  # noqa: PLC0415 - as above

    return config or settings_file_in(data_dir)


def _head(data: "OpenData") -> dict[str, object]:
    return {
        "month": f"{data.month:%Y-%m}",
        "epsilon": data.epsilon,
        "charged_on": data.charged_on.isoformat(),
    }


def _shown(row: "Row", epsilon: float) -> dict[str, object]:
    from immuni.backend.analytics.opendata.noise import noise_deviation  # noqa: PLC0415 - as above

    return {
        "level": row.level,
        "place": row.place,
        "platform": row.platform,
        "kind": row.kind,
        "reports": row.reports,
        "noise_deviation": round(noise_deviation(epsilon, row.cells), 1),
    }
