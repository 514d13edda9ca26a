"""What an analyst has recorded or planted: sightings and preliminary keys in CSV text."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from string import hexdigits
from typing import Final

from immuni.crypto import AEM, RPI
from immuni.crypto.preliminary import DailyTracingKey, DayNumber, PreliminaryDiagnosisKey
from immuni.keys import INTERVAL_SECONDS, KEY_LENGTH
from immuni.matching.sighting import AEM_LENGTH, RPI_LENGTH, RSSI_RANGE_DBM
from immuni.matching.tables import Row, attempt, rows_of

_SIGHTING_NAMES: Final[Mapping[str, Collection[str]]] = {
    "rpi": ("rpi", "rolling_proximity_identifier", "identifier"),
    "aem": ("aem", "associated_encrypted_metadata"),
    "rssi_dbm": ("rssi_dbm", "rssi"),
    "seen_at": ("seen_at", "time", "timestamp", "datetime"),
    "interval": ("interval", "enin", "interval_number", "en_interval_number"),
}
_KEY_NAMES: Final[Mapping[str, Collection[str]]] = {
    "daily_tracing_key": ("daily_tracing_key", "key", "dtk"),
    "day": ("day", "day_number", "date"),
}
_END_OF_TIME: Final = 253_402_300_799
_FIRST_DAY: Final = date(1970, 1, 1)
_LAST_DAY_NUMBER: Final = (date.max - _FIRST_DAY).days


@dataclass(frozen=True, slots=True)
class RecordedSighting:
    """One row: a sighting of which strength and metadata may be unknown.

    Attributes:
        line: Line of the text, its header being 1.
        rpi: 16 bytes.
        aem: 4 bytes; None where the row has none that can be used.
        rssi_dbm: Received signal strength, -127..126; None where the row does not tell.
        seen_at: When it was heard, aware.
    """

    line: int
    rpi: RPI = field(repr=False)
    aem: AEM | None = field(repr=False)
    rssi_dbm: int | None
    seen_at: datetime


def read_sightings(text: str) -> list[RecordedSighting]:
    """Read sightings from CSV text with a header row.

    Columns in any order: ``rpi``; ``seen_at`` (ISO 8601 with zone, or Unix seconds) or else
    ``interval``; optional ``aem`` and ``rssi_dbm``, whose cells may be empty. Each may have one of
    its other names; columns with unknown names are passed over. An ``aem`` of another length than
    that of metadata spoils only itself: the sighting counts, but cannot be scored.

    Raises:
        MalformedTableError: A column is missing or a row is wrong.
    """
    needs = ["rpi"], ["seen_at", "interval"]
    return [_sighting(row) for row in rows_of(text, "sightings", _SIGHTING_NAMES, needs=needs)]


def read_preliminary_keys(text: str) -> list[PreliminaryDiagnosisKey]:
    """Read published keys of April 2020 from CSV text with a header row.

    Columns in any order: ``daily_tracing_key``, hexadecimal, and ``day``, as an ISO date or as the
    number of days since 1970.

    Raises:
        MalformedTableError: A column is missing or a row is wrong.
    """
    needs = ["daily_tracing_key"], ["day"]
    return [_key(row) for row in rows_of(text, "preliminary keys", _KEY_NAMES, needs=needs)]


def _sighting(row: Row) -> RecordedSighting:
    return RecordedSighting(
        line=row.line,
        rpi=RPI(row.hexadecimal("rpi", RPI_LENGTH)),
        aem=_metadata(row),
        rssi_dbm=_strength(row),
        seen_at=_instant(row),
    )


def _metadata(row: Row) -> AEM | None:
    text = row.cell("aem")
    if not set(text) <= set(hexdigits):
        raise row.fault("aem must be hexadecimal")
    return AEM(bytes.fromhex(text)) if len(text) == 2 * AEM_LENGTH else None


def _strength(row: Row) -> int | None:
    text = row.cell("rssi_dbm")
    if not text:
        return None
    value = attempt(int, text)
    if value is None or value not in RSSI_RANGE_DBM:
        raise row.fault("rssi_dbm must be a whole number in -127..126")
    return value


def _instant(row: Row) -> datetime:
    """Return the time of a row: seconds, ISO 8601 or the start of an interval."""
    if text := row.cell("seen_at"):
        seconds: float | None = attempt(float, text)
        if seconds is None:
            return _parsed(row, text)
    elif text := row.cell("interval"):
        interval = attempt(int, text)
        if interval is None:
            raise row.fault("interval must be a whole number")
        seconds = interval * INTERVAL_SECONDS
    else:
        raise row.fault("want a value for seen_at or interval")
    if not 0 <= seconds < _END_OF_TIME:
        raise row.fault("the time must lie between the years 1970 and 9999")
    return datetime.fromtimestamp(seconds, UTC)


def _parsed(row: Row, text: str) -> datetime:
    instant = attempt(datetime.fromisoformat, text)
    if instant is None or instant.utcoffset() is None:
        raise row.fault("seen_at must be ISO 8601 with a zone, or Unix seconds")
    if instant.timestamp() < 0:
        raise row.fault("the time must lie between the years 1970 and 9999")
    return instant


def _key(row: Row) -> PreliminaryDiagnosisKey:
    key = DailyTracingKey(row.hexadecimal("daily_tracing_key", KEY_LENGTH))
    return PreliminaryDiagnosisKey(key, _day_number(row))


def _day_number(row: Row) -> DayNumber:
    text = row.cell("day")
    number = attempt(int, text)
    if number is None and (day := attempt(date.fromisoformat, text)) is not None:
        number = (day - _FIRST_DAY).days
    if number is None or not 0 <= number <= _LAST_DAY_NUMBER:
        raise row.fault("day must be an ISO date from 1970 on, or its number of days since then")
    return DayNumber(number)
