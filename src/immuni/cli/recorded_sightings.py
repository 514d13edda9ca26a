"""Sightings in a CSV file, as an analyst has recorded or planted them."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

from immuni.cli.chunk_files import read_file
from immuni.crypto import AEM, RPI
from immuni.errors import ImmuniError
from immuni.keys import INTERVAL_SECONDS
from immuni.matching import AEM_LENGTH, RPI_LENGTH, RSSI_RANGE_DBM

_NAMES: Final[Mapping[str, Collection[str]]] = {
    "rpi": ("rpi", "rolling_proximity_identifier", "identifier"),
    "aem": ("aem", "associated_encrypted_metadata"),
    "rssi_dbm": ("rssi_dbm", "rssi"),
    "seen_at": ("seen_at", "time", "timestamp", "datetime"),
    "interval": ("interval", "enin", "interval_number", "en_interval_number"),
}
"""What a column can mean, and the names that it may have."""
_END_OF_TIME: Final = 253_402_300_799
_MAX_BYTES: Final = 512 * 1024 * 1024
"""Some five million rows."""
_DELIMITERS: Final = ",;\t"

_Value = TypeVar("_Value")


class MalformedSightingsError(ImmuniError, ValueError):
    """The CSV file cannot be read; the message names the line. Nothing was matched."""


@dataclass(frozen=True, slots=True)
class RecordedSighting:
    """One row: a sighting of which strength and metadata may be unknown."""

    line: int
    rpi: RPI
    aem: AEM | None
    rssi_dbm: int | None
    seen_at: datetime


def read_sightings(path: Path) -> list[RecordedSighting]:
    """Read a CSV file with a header row.

    Columns in any order: ``rpi``; ``seen_at`` (ISO 8601 with zone, or Unix seconds) or else
    ``interval``; optional ``aem`` and ``rssi_dbm``, whose cells may be empty. Each may have one of
    its other names; columns with unknown names are ignored.

    Raises:
        MalformedSightingsError: A column is missing or a row is wrong.
        UnreadableFileError: The system refused.
    """
    data = read_file(path, max_bytes=_MAX_BYTES)
    if len(data) > _MAX_BYTES:
        raise MalformedSightingsError(f"{path} exceeds {_MAX_BYTES} bytes")
    try:
        return list(_rows(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise MalformedSightingsError(f"{path} is not UTF-8") from error
    except csv.Error as error:
        raise MalformedSightingsError(f"{path} is not CSV: {error}") from error


def _rows(text: str) -> Iterator[RecordedSighting]:
    header, _, _ = text.partition("\n")
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    meanings = _meanings(next(reader, []))
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(meanings):
            raise _fault(reader.line_num, f"want {len(meanings)} columns, got {len(cells)}")
        row = {
            meaning: cell.strip()
            for meaning, cell in zip(meanings, cells, strict=False)
            if meaning is not None
        }
        yield _sighting(reader.line_num, row)


def _meanings(header: Sequence[str]) -> list[str | None]:
    """Return what each column means; None for those that are ignored."""
    meanings = [_meaning(name) for name in header]
    known = [meaning for meaning in meanings if meaning is not None]
    if len(known) > len(set(known)):
        raise _fault(1, "two columns mean the same")
    if "rpi" not in known or not {"seen_at", "interval"} & set(known):
        raise _fault(1, "want a header with the columns rpi and seen_at (or interval)")
    return meanings


def _meaning(name: str) -> str | None:
    spelling = name.strip().lower().replace(" ", "_").replace("-", "_")
    return next((meaning for meaning, names in _NAMES.items() if spelling in names), None)


def _sighting(line: int, row: Mapping[str, str]) -> RecordedSighting:
    aem, rssi = row.get("aem", ""), row.get("rssi_dbm", "")
    return RecordedSighting(
        line=line,
        rpi=RPI(_hexadecimal(line, "rpi", row.get("rpi", ""), RPI_LENGTH)),
        aem=AEM(_hexadecimal(line, "aem", aem, AEM_LENGTH)) if aem else None,
        rssi_dbm=_strength(line, rssi) if rssi else None,
        seen_at=_instant(line, row),
    )


def _hexadecimal(line: int, name: str, text: str, length: int) -> bytes:
    data = _attempt(bytes.fromhex, text)
    if data is None or len(data) != length:
        raise _fault(line, f"{name} must have {2 * length} hexadecimal digits")
    return data


def _strength(line: int, text: str) -> int:
    value = _attempt(int, text)
    if value is None or value not in RSSI_RANGE_DBM:
        raise _fault(line, "rssi_dbm must be a whole number in -127..126")
    return value


def _instant(line: int, row: Mapping[str, str]) -> datetime:
    """Return the time of a row: seconds, ISO 8601 or the start of an interval."""
    if text := row.get("seen_at", ""):
        seconds: float | None = _attempt(float, text)
        if seconds is None:
            return _parsed(line, text)
    elif text := row.get("interval", ""):
        interval = _attempt(int, text)
        if interval is None:
            raise _fault(line, "interval must be a whole number")
        seconds = interval * INTERVAL_SECONDS
    else:
        raise _fault(line, "want a value for seen_at or interval")
    if not 0 <= seconds < _END_OF_TIME:
        raise _fault(line, "the time must lie between the years 1970 and 9999")
    return datetime.fromtimestamp(seconds, UTC)


def _parsed(line: int, text: str) -> datetime:
    instant = _attempt(datetime.fromisoformat, text)
    if instant is None or instant.utcoffset() is None:
        raise _fault(line, "seen_at must be ISO 8601 with a zone, or Unix seconds")
    if instant.timestamp() < 0:
        raise _fault(line, "the time must lie between the years 1970 and 9999")
    return instant


def _attempt(parse: Callable[[str], _Value], text: str) -> _Value | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _fault(line: int, rule: str) -> MalformedSightingsError:
    return MalformedSightingsError(f"line {line} of the sightings: {rule}")
