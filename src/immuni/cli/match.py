"""``immuni match``: find recorded identifiers among published keys."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from immuni.cli.chunk_files import read_chunk, read_file
from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_json
from immuni.cli.match_files import read_preliminary_keys_file, read_sightings_file
from immuni.crypto import derive_aemk
from immuni.crypto.preliminary import PreliminaryDiagnosisKey
from immuni.keys import TEK_ROLLING_PERIOD, DiagnosisKey, ENIntervalNumber, PackedKeys, day_of
from immuni.matching import Match, RecordedSighting, attenuation_db, plausible_metadata, recognise

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
    sightings: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="CSV with a header: rpi, seen_at (ISO 8601 with zone or Unix seconds) or "
            "interval, and where known aem and rssi_dbm.",
        ),
    ],
    export: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The TEK Chunk file.")
    ] = None,
    preliminary_keys: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Instead of a chunk, keys of April 2020. CSV with a header: daily_tracing_key "
            "(hexadecimal) and day (ISO date, or days since 1970).",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Public key, PEM: match only what it signed."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Find recorded sightings of published keys. Exit code 1 if there are none.

    The rules are those of a phone: two hours of clock tolerance, nothing
    of a key outside its own rolling period, no replays, no revoked keys.
    A sighting whose aem or rssi_dbm is missing or implausible is shown
    without an attenuation: a phone would not score it.

    JSON: verified, key_count, sighting_count and matches, each of them
    line (in the CSV file), rpi, seen_at, interval, key_index (keys, then
    revised keys, in the order of the file), key_day,
    transmission_risk_level, report_type, rssi_dbm and attenuation_db
    (null where unknown; preliminary keys come without the last four but
    rssi_dbm).
    """
    keys = _published_keys(export, preliminary_keys, key)
    recorded = read_sightings_file(sightings)
    rows = [
        _row(one, keys[one.key_index], recorded[one.sighting_index])
        for one in sorted(recognise(keys, recorded), key=lambda one: one.sighting_index)
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
        _print_rows(rows, len(recorded), len(keys), warn=export is not None and key is None)
    if not rows:
        raise typer.Exit(ANSWER_IS_NO)


def _published_keys(
    export: Path | None, preliminary_keys: Path | None, key: Path | None
) -> Sequence[DiagnosisKey] | Sequence[PreliminaryDiagnosisKey]:
    """Read the keys of the one file that was given."""
    if export is not None and preliminary_keys is None:
        chunk = read_chunk(read_file(export), key)
        return PackedKeys.joined([chunk.keys, chunk.revised_keys])
    if preliminary_keys is not None and export is None and key is None:
        return read_preliminary_keys_file(preliminary_keys)
    raise typer.BadParameter("want --export, with or without --key, or else --preliminary-keys")


def _row(
    found: Match, key: DiagnosisKey | PreliminaryDiagnosisKey, sighting: RecordedSighting
) -> _Row:
    """Return what is told of a match."""
    final = key if isinstance(key, DiagnosisKey) else None
    return {
        "line": sighting.line,
        "rpi": sighting.rpi.hex(),
        "seen_at": sighting.seen_at.isoformat(),
        "interval": found.interval,
        "key_index": found.key_index,
        "key_day": _day_of_key(key).isoformat(),
        "transmission_risk_level": None if final is None else final.transmission_risk_level,
        "report_type": None if final is None else final.report_type.name,
        "rssi_dbm": sighting.rssi_dbm,
        "attenuation_db": None if final is None else _attenuation_db(final, sighting),
    }


def _day_of_key(key: DiagnosisKey | PreliminaryDiagnosisKey) -> date:
    if isinstance(key, DiagnosisKey):
        return day_of(key.tek.rolling_start_number)
    return day_of(ENIntervalNumber(key.day_number * TEK_ROLLING_PERIOD))


def _attenuation_db(key: DiagnosisKey, sighting: RecordedSighting) -> int | None:
    metadata = plausible_metadata(derive_aemk(key.tek), sighting.rpi, sighting.aem)
    if metadata is None or sighting.rssi_dbm is None:
        return None
    return attenuation_db(metadata, rssi_dbm=sighting.rssi_dbm)


def _print_rows(rows: list[_Row], sighting_count: int, key_count: int, *, warn: bool) -> None:
    if rows:
        table = Table(*_SHOWN.values())
        for row in rows:
            table.add_row(*(_UNKNOWN if row[name] is None else str(row[name]) for name in _SHOWN))
        console.print(table)
    console.print(f"{len(rows)} of {sighting_count} sightings match one of {key_count} keys.")
    if warn:
        console.print("Who signed the chunk was not verified: that takes --key.", style="yellow")
