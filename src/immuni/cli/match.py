"""``immuni match``: find recorded identifiers among the keys of a chunk."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from immuni.cli.chunk_files import read_chunk, read_file
from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_json
from immuni.cli.recorded_sightings import RecordedSighting, read_sightings
from immuni.keys import DiagnosisKey, day_of
from immuni.matching import Match, attenuation_db, recognise

_Row = dict[str, str | int | None]
_SHOWN: Final = {
    "line": "line",
    "seen_at": "seen at",
    "interval": "interval",
    "key_index": "key",
    "key_day": "key's day",
    "transmission_risk_level": "risk",
    "attenuation_db": "dB",
}
"""What people see of a match, and what it is called there; machines get all of it."""
_UNKNOWN: Final = "–"


def match(
    *,
    export: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The TEK Chunk file.")],
    sightings: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="CSV with a header: rpi, seen_at (ISO 8601 with zone or Unix seconds) or "
            "interval, and where known aem and rssi_dbm.",
        ),
    ],
    key: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Public key, PEM: match only what it signed."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Find recorded sightings of the keys in a chunk. Exit code 1 if there are none.

    The rules are those of a phone: two hours of clock tolerance, nothing
    of a key outside its own rolling period, no replays, no revoked keys.
    A sighting whose aem or rssi_dbm is missing or implausible is shown
    without an attenuation: a phone would not score it.

    JSON: verified, key_count, sighting_count and matches, each of them
    line (in the CSV file), rpi, seen_at, interval, key_index (keys, then
    revised keys, in the order of the file), key_day,
    transmission_risk_level, report_type, rssi_dbm and attenuation_db
    (null where unknown).
    """
    chunk = read_chunk(read_file(export), key)
    keys = [*chunk.keys, *chunk.revised_keys]
    recorded = read_sightings(sightings)
    found = recognise(
        keys, [sighting.rpi for sighting in recorded], [sighting.seen_at for sighting in recorded]
    )
    rows = [
        _row(one, keys[one.key_index], recorded[one.sighting_index])
        for one in sorted(found, key=lambda one: one.sighting_index)
    ]
    if json:
        print_json(
            {
                "verified": key is not None,
                "key_count": len(keys),
                "sighting_count": len(recorded),
                "matches": rows,
            }
        )
    else:
        _print_rows(rows, len(recorded), len(keys), verified=key is not None)
    if not rows:
        raise typer.Exit(ANSWER_IS_NO)


def _row(found: Match, key: DiagnosisKey, sighting: RecordedSighting) -> _Row:
    """Return what is told of a match."""
    loss: int | None = None
    if sighting.aem is not None and sighting.rssi_dbm is not None:
        loss = attenuation_db(key.tek, sighting.rpi, sighting.aem, rssi_dbm=sighting.rssi_dbm)
    return {
        "line": sighting.line,
        "rpi": sighting.rpi.hex(),
        "seen_at": sighting.seen_at.isoformat(),
        "interval": found.interval,
        "key_index": found.key_index,
        "key_day": day_of(key.tek.rolling_start_number).isoformat(),
        "transmission_risk_level": key.transmission_risk_level,
        "report_type": key.report_type.name,
        "rssi_dbm": sighting.rssi_dbm,
        "attenuation_db": loss,
    }


def _print_rows(rows: list[_Row], sighting_count: int, key_count: int, *, verified: bool) -> None:
    if rows:
        table = Table(*_SHOWN.values())
        for row in rows:
            table.add_row(*(_UNKNOWN if row[name] is None else str(row[name]) for name in _SHOWN))
        console.print(table)
    console.print(f"{len(rows)} of {sighting_count} sightings match one of {key_count} keys.")
    if not verified:
        console.print("Who signed the chunk was not verified: that takes --key.", style="yellow")
