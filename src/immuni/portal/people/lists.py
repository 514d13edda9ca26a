"""Reading a list of people, as spreadsheets write it: decided without I/O."""

import csv
import io
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import (
    InvalidNameError,
    InvalidUserError,
    parse_name,
    parse_user,
)
from immuni.portal.accounts.roles import Role
from immuni.portal.people.rules import Refusal, RefusedError

MAX_ROWS: Final = 5_000
MAX_CELL_LENGTH: Final = 200

_COLUMNS: Final[Mapping[str, str]] = {
    "user": "user",
    "user name": "user",
    "utente": "user",
    "nome utente": "user",
    "name": "name",
    "display name": "name",
    "nome": "name",
    "role": "role",
    "ruolo": "role",
    "organisation": "organisation",
    "organization": "organisation",
    "organizzazione": "organisation",
}
_ROLES: Final[Mapping[str, Role]] = {
    **{role.value: role for role in Role},
    "operatore": Role.OPERATOR,
    "supervisore": Role.SUPERVISOR,
    "amministratore": Role.ADMINISTRATOR,
    "revisore": Role.AUDITOR,
}
_WANTED: Final = ("user", "name", "role", "organisation")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_SHOWN: Final = 80


class ListFault(StrEnum):
    """Why a whole list cannot be read."""

    EMPTY = "empty"
    NOT_UTF8 = "not_utf8"
    COLUMNS = "columns"
    TOO_MANY = "too_many"
    BROKEN = "broken"


class MalformedListError(ImmuniError, ValueError):
    """It is not a list of people; nothing was kept.

    Attributes:
        fault: In which way.
        line: Where; 0 where it is no single place.
    """

    def __init__(self, fault: ListFault, line: int = 0) -> None:
        """Keep the place; what stands there is not repeated."""
        super().__init__(f"{fault} in line {line}" if line else fault)
        self.fault = fault
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person on a list.

    Attributes:
        line: Where they stand, as a text editor counts.
        user: The name with which they will sign in.
        name: What they are called; may be empty.
        role: What the account is for; None where the row is faulty.
        organisation: The name of the hospital or region.
        fault: What is wrong with the row itself; None where nothing is.
    """

    line: int
    user: str
    name: str
    role: Role | None
    organisation: str
    fault: Refusal | None = None


def read_list(text: str) -> list[Entry]:
    """Return the people on a list.

    Columns are told by the names in the first line, in any order, in English or Italian; they are
    parted by commas, semicolons or, as spreadsheets copy them, tabs.

    Args:
        text: The file, bytes that are no UTF-8 having become U+FFFD.

    Raises:
        MalformedListError: It cannot be read; a faulty row alone is an entry with its fault.
    """
    text = text.removeprefix("\ufeff")
    if "\ufffd" in text:
        raise MalformedListError(ListFault.NOT_UTF8, text[: text.index("\ufffd")].count("\n") + 1)
    rows = _rows(text)
    try:
        _, header = next(rows)
    except StopIteration:
        raise MalformedListError(ListFault.EMPTY) from None
    places = _places(header)
    entries: list[Entry] = []
    seen: set[str] = set()
    for line, cells in rows:
        if len(entries) >= MAX_ROWS:
            raise MalformedListError(ListFault.TOO_MANY, line)
        entries.append(_entry(line, cells, places, seen))
    if not entries:
        raise MalformedListError(ListFault.EMPTY)
    return entries


def safe_cell(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise MalformedListError(ListFault.BROKEN, line) from error


def _places(header: Sequence[str]) -> Mapping[str, int]:
    names = [_COLUMNS.get(cell.strip().casefold(), "") for cell in header]
    if any(names.count(wanted) != 1 for wanted in _WANTED):
        raise MalformedListError(ListFault.COLUMNS, 1)
    return {wanted: names.index(wanted) for wanted in _WANTED}


def _entry(line: int, cells: Sequence[str], places: Mapping[str, int], seen: set[str]) -> Entry:
    try:
        entry = _sound(line, _raw(cells, places), seen)
    except RefusedError as error:
        shown = [_shown(cells[place]) if place < len(cells) else "" for place in places.values()]
        user, name, _, organisation = shown
        return Entry(
            line=line,
            user=user,
            name=name,
            role=None,
            organisation=organisation,
            fault=error.refusal,
        )
    seen.add(entry.user)
    return entry


def _raw(cells: Sequence[str], places: Mapping[str, int]) -> Mapping[str, str]:
    if len(cells) <= max(places.values()):
        raise RefusedError(Refusal.CELLS_MISSING)
    return {name: cells[place].strip(" ") for name, place in places.items()}


def _sound(line: int, raw: Mapping[str, str], seen: Collection[str]) -> Entry:
    if any(len(cell) > MAX_CELL_LENGTH for cell in raw.values()):
        raise RefusedError(Refusal.CELL_TOO_LONG)
    if any(cell.startswith(_FORMULA) for cell in raw.values()):
        raise RefusedError(Refusal.FORMULA)
    role = _ROLES.get(raw["role"].casefold())
    if role is None:
        raise RefusedError(Refusal.ROLE_UNKNOWN)
    try:
        user, name = parse_user(raw["user"]), parse_name(raw["name"])
        organisation = parse_name(raw["organisation"])
    except InvalidUserError:
        raise RefusedError(Refusal.USER_INVALID) from None
    except InvalidNameError:
        raise RefusedError(Refusal.NAME_INVALID) from None
    if user in seen:
        raise RefusedError(Refusal.TWICE)
    return Entry(line=line, user=user, name=name, role=role, organisation=organisation)


def _shown(cell: str) -> str:
    """Return the beginning of a faulty cell, without what cannot be shown or kept."""
    return "".join(
        each
        for each in cell[:_SHOWN]
        if unicodedata.category(each)[0] not in {"C", "Z"} or each == " "
    )
