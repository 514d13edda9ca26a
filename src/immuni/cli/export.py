"""``immuni export``: look into TEK Chunk files, and check who signed them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from immuni.cli.chunk_files import ChunkFile, read_chunk, read_file
from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_error, print_json
from immuni.export import Export, ExportError, SignatureInfo, read_signature_infos
from immuni.keys import ENIntervalNumber, PackedKeys, ReportType, day_of

app = typer.Typer(no_args_is_help=True, help="Look into TEK Chunk files and verify them.")

Description = dict[str, object]
_MOST_COUNTS: Final = 144
"""A file may hold keys of a million days: of more counts than this, people see but the range."""
_NAMES: Final = {each.value: each.name for each in ReportType}


@app.callback()
def group() -> None:
    """Look into TEK Chunk files, of this system and of others, and verify them."""


@app.command(
    epilog="Example: immuni export show chunk.zip\n\n"
    "JSON: verified (always false), start, end, region, batch_num, batch_size, signatures (a list "
    "of key_id, key_version, algorithm, app_bundle_id, android_package), key_count, "
    "revised_key_count, days, transmission_risk_levels, report_types, rolling_periods (each maps "
    "a value to how many keys have it)."
)
def show(file: ChunkFile, *, json: JsonOption = False) -> None:
    """Show what a chunk says, whoever made it: its signatures are listed, not verified.

    Exit code 1 if the file is damaged.
    """
    data = read_file(file)
    description = _described(read_chunk(data, None), read_signature_infos(data), verified=False)
    if json:
        print_json(description)
        return
    _print_description(description)
    console.print("Nothing was verified: that takes `immuni export verify`.", style="yellow")


@app.command(
    epilog="Example: immuni export verify chunk.zip --key 222-v1.pem\n\n"
    "JSON: what `show` gives, with verified true; or verified false and reason."
)
def verify(
    file: ChunkFile,
    *,
    key: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="The public key, PEM, on curve P-256."),
    ],
    json: JsonOption = False,
) -> None:
    """Tell whether a chunk is whole and signed by a key. Exit code 1 if not."""
    data = read_file(file)
    try:
        export = read_chunk(data, key)
    except ExportError as error:
        if json:
            print_json({"verified": False, "reason": str(error)})
        else:
            print_error(str(error))
        raise typer.Exit(ANSWER_IS_NO) from error
    description = _described(export, read_signature_infos(data), verified=True)
    if json:
        print_json(description)
        return
    _print_description(description)
    console.print("The signature is good.", style="green")


def _described(export: Export, infos: Iterable[SignatureInfo], *, verified: bool) -> Description:
    """Return what is shown of an export: counts, never a key."""
    # Columns are counted a hundred times faster than keys that are built one by one.
    keys = PackedKeys.joined([export.keys, export.revised_keys])
    return {
        "verified": verified,
        "start": export.start.isoformat(),
        "end": export.end.isoformat(),
        "region": export.region,
        "batch_num": export.batch_num,
        "batch_size": export.batch_size,
        "signatures": [_described_info(info) for info in infos],
        "key_count": len(export.keys),
        "revised_key_count": len(export.revised_keys),
        "days": _counted(
            day_of(ENIntervalNumber(start)).isoformat() for start in keys.rolling_starts
        ),
        "transmission_risk_levels": _counted(keys.transmission_risk_levels),
        "report_types": _counted(_NAMES[report_type] for report_type in keys.report_types),
        "rolling_periods": _counted(keys.rolling_periods),
    }


def _described_info(info: SignatureInfo) -> Description:
    return {
        "key_id": info.verification_key_id,
        "key_version": info.verification_key_version,
        "algorithm": info.signature_algorithm,
        "app_bundle_id": info.app_bundle_id,
        "android_package": info.android_package,
    }


def _counted(values: Iterable[int] | Iterable[str]) -> dict[str, int]:
    return {str(value): count for value, count in sorted(Counter(values).items())}


def _print_description(description: Description) -> None:
    table = Table(show_header=False, box=None)
    for name, value in description.items():
        if name != "verified":
            table.add_row(name.replace("_", " "), escape(_told(value)))
    console.print(table)


def _told(value: object) -> str:
    """Return a value of a description as a person reads it."""
    if isinstance(value, dict) and len(value) > _MOST_COUNTS:
        return f"{len(value)} different ones, from {next(iter(value))} to {next(reversed(value))}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return "\n".join(
            " ".join(text for text in info.values() if text) or "unnamed" for info in value
        )
    return str(value)
