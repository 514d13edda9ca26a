"""Events as lines of CSV and of JSON."""

import csv
import io
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import asdict, fields
from datetime import UTC
from enum import StrEnum
from typing import Final

from immuni.portal.audit.browsing import Entry

_COLUMNS: Final = tuple(field.name for field in fields(Entry))
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class ExportFormat(StrEnum):
    """How events are written."""

    CSV = "csv"
    JSONL = "jsonl"


async def exported(entries: AsyncIterator[Entry], form: ExportFormat) -> AsyncIterator[str]:
    """Yield one line for each event, ends included; CSV begins with the names of its columns."""
    if form is ExportFormat.CSV:
        yield _csv_line(_COLUMNS)
    async for entry in entries:
        values = asdict(entry) | {"at": entry.at.astimezone(UTC).isoformat()}
        if form is ExportFormat.CSV:
            yield _csv_line(_harmless(value) for value in values.values())
        else:
            values["detail"] = json.loads(entry.detail)
            yield json.dumps(values, ensure_ascii=False) + "\n"


def _harmless(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _csv_line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
