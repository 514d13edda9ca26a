"""``immuni audit``: whether the record of what operators did is whole, and taking it elsewhere."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from immuni.cli.console import ANSWER_IS_NO, ConfigOption, JsonOption, console, print_json
from immuni.cli.jobs import DataDir

if TYPE_CHECKING:
    from immuni.portal.audit.verifying import Verification

app = typer.Typer(no_args_is_help=True, help="Verify and export the portal's audit trail.")


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise typer.BadParameter("want a day like 2026-10-31") from error


@app.command(epilog="Example: immuni audit verify --data-dir ./var")
def verify(
    *,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    heads: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Heads kept elsewhere; the data folder's by default."),
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Who signed them; the data folder's by default."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Find out whether any event was changed, deleted, moved or made up, or the end was cut off.

    Exit code 1 if so, with what is wrong and up to where the trail is whole.
    """
    # The deployment knows every part of the system; commands that need none of it start faster.
    from immuni.clock import SystemClock  # noqa: PLC0415
    from immuni.deployment.audit import verify_audit  # noqa: PLC0415
    from immuni.deployment.wiring.jobs import settings_file_in  # noqa: PLC0415

    file = config or settings_file_in(data_dir)
    found = asyncio.run(
        verify_audit(file, SystemClock(), heads=heads or [], public_keys=public_key or [])
    )
    if json:
        print_json(found.as_json())
    else:
        _show(found)
    if found.findings:
        raise typer.Exit(ANSWER_IS_NO)


@app.command(epilog="Example: immuni audit export --since 2026-10-01 --json > trail.jsonl")
def export(
    *,
    since: Annotated[
        datetime | None,
        typer.Option(parser=_day, metavar="DAY", help="The first day, in UTC."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(parser=_day, metavar="DAY", help="The last day, in UTC.")
    ] = None,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print events as CSV, the oldest first, with the names that accounts have today."""
    from immuni.deployment.audit import export_audit  # noqa: PLC0415 - as above
    from immuni.deployment.wiring.jobs import settings_file_in  # noqa: PLC0415 - as above
    from immuni.portal.audit.browsing import Filter  # noqa: PLC0415 - as above
    from immuni.portal.audit.exporting import ExportFormat  # noqa: PLC0415 - as above

    file, form = (
        config or settings_file_in(data_dir),
        ExportFormat.JSONL if json else ExportFormat.CSV,
    )
    wanted = Filter(since=since, until=until + timedelta(days=1) if until else None)

    async def write() -> None:
        async for line in export_audit(file, wanted, form):
            sys.stdout.write(line)

    asyncio.run(write())
    sys.stdout.flush()


def _show(found: "Verification") -> None:
    for finding in found.findings:
        console.print(f"✗ {finding}", style="red", markup=False)
    if found.whole_to:
        when = f", {found.whole_at:%Y-%m-%d %H:%M:%S} UTC" if found.whole_at else ""
        console.print(
            f"{'Whole up to' if found.findings else '✓ Whole:'} event {found.whole_to}{when}; "
            f"{found.events} events, those up to {found.purged_to} purged.",
            markup=False,
        )
    if found.head is not None:
        console.print(
            f"Head {found.head.number} of {found.head.at:%Y-%m-%d %H:%M} UTC agrees with event "
            f"{found.head.end.last_id}.",
            markup=False,
        )
    for remark in found.remarks:
        console.print(f"! {remark}", style="yellow", markup=False)
