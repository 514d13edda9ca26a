"""CSV text with a header row, whose columns have several names and may come in any order."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from immuni.errors import ImmuniError

_DELIMITERS: Final = ",;\t"
_BYTE_ORDER_MARK: Final = "\ufeff"

_Value = TypeVar("_Value")


class MalformedTableError(ImmuniError, ValueError):
    """The text cannot be read; the message names what it was to hold, and the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by what they mean, without surrounding space.

    Attributes:
        subject: What the table holds, for messages.
        line: Line of the text, its header being 1.
        cells: By meaning; a column that the table does not have is missing.
    """

    subject: str
    line: int
    cells: Mapping[str, str]

    def cell(self, meaning: str) -> str:
        """Return a cell, empty where there is no such column."""
        return self.cells.get(meaning, "")

    def hexadecimal(self, meaning: str, length: int) -> bytes:
        """Return a cell of exactly `length` bytes.

        Raises:
            MalformedTableError: It is none.
        """
        data = attempt(bytes.fromhex, self.cell(meaning))
        if data is None or len(data) != length:
            raise self.fault(f"{meaning} must have {2 * length} hexadecimal digits")
        return data

    def fault(self, rule: str) -> MalformedTableError:
        """Return an error that names the row and the rule that it breaks."""
        return _fault(self.subject, self.line, rule)


def rows_of(
    text: str,
    subject: str,
    names: Mapping[str, Collection[str]],
    *,
    needs: Sequence[Collection[str]],
) -> Iterator[Row]:
    """Yield the rows of a table, without empty ones.

    Args:
        text: CSV with commas, semicolons or tabs.
        subject: What the table holds, for messages.
        names: What a column can mean, and the names that it may have. Others are passed over.
        needs: Of each collection of meanings there must be a column.

    Raises:
        MalformedTableError: The header lacks a column, or a row has too many cells.
    """
    text = text.removeprefix(_BYTE_ORDER_MARK)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        meanings = _meanings(next(reader, []), subject, names, needs)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _row(subject, reader.line_num, meanings, cells)
    except csv.Error as error:
        raise MalformedTableError(f"the {subject} are not CSV: {error}") from error


def attempt(parse: Callable[[str], _Value], text: str) -> _Value | None:
    """Return what `parse` makes of `text`, or None where it refuses."""
    try:
        return parse(text)
    except ValueError:
        return None


def _meanings(
    header: Sequence[str],
    subject: str,
    names: Mapping[str, Collection[str]],
    needs: Sequence[Collection[str]],
) -> list[str | None]:
    """Return what each column means; None for those that are passed over."""
    meanings = [_meaning(name, names) for name in header]
    known = [meaning for meaning in meanings if meaning is not None]
    if len(known) > len(set(known)):
        raise _fault(subject, 1, "two columns mean the same")
    if any(set(known).isdisjoint(alternatives) for alternatives in needs):
        columns = " and ".join(" or ".join(alternatives) for alternatives in needs)
        raise _fault(subject, 1, f"want a header with the columns {columns}")
    return meanings


def _meaning(name: str, names: Mapping[str, Collection[str]]) -> str | None:
    spelling = name.strip().lower().replace(" ", "_").replace("-", "_")
    return next((meaning for meaning, spellings in names.items() if spelling in spellings), None)


def _row(subject: str, line: int, meanings: Sequence[str | None], cells: Sequence[str]) -> Row:
    if len(cells) > len(meanings):
        raise _fault(subject, line, f"want {len(meanings)} columns, got {len(cells)}")
    row = {
        meaning: cell.strip()
        for meaning, cell in zip(meanings, cells, strict=False)
        if meaning is not None
    }
    return Row(subject, line, row)


def _fault(subject: str, line: int, rule: str) -> MalformedTableError:
    return MalformedTableError(f"line {line} of the {subject}: {rule}")
