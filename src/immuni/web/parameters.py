"""What may stand in a query string and in a path, for the shell and for the document alike."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl

from immuni.web.errors import PathError, QueryError

_WHOLE_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_MAX_QUERY_LENGTH: Final = 1000


class Place(StrEnum):
    """Where a parameter stands; the names are OpenAPI's."""

    QUERY = "query"
    PATH = "path"
    HEADER = "header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One named value of a request.

    Query and path are checked by the shell. A header is described only: its rules are the
    service's, and what a dummy sends in it is not looked at.

    Attributes:
        name: As it is sent.
        place: Where.
        description: What it means.
        pattern: What the whole value looks like.
        low: Least value of a number, None where it is none.
        high: Greatest value of a number.
        options: All values, where they can be counted.
        required: Whether it must be there.
        example: A value that may stand here, for the document.
    """

    name: str
    place: Place
    description: str
    pattern: str = r".*"
    low: int | None = None
    high: int | None = None
    options: tuple[str, ...] = ()
    required: bool = True
    example: str = ""

    def allows(self, text: str) -> bool:
        """Tell whether `text` may stand here."""
        if self.options:
            return text in self.options
        if self.low is not None and self.high is not None:
            return _WHOLE_NUMBER.fullmatch(text) is not None and self.low <= int(text) <= self.high
        return re.fullmatch(self.pattern, text) is not None

    def sample(self) -> str | int:
        """Return an example of the values, as its schema has it."""
        text = self.example or next(iter(self.options), "")
        return int(text or self.low) if self.low is not None else text

    def schema(self) -> dict[str, object]:
        """Return the JSON schema of the values."""
        if self.options:
            return {"type": "string", "enum": list(self.options)}
        if self.low is not None and self.high is not None:
            return {"type": "integer", "minimum": self.low, "maximum": self.high}
        return {"type": "string", "pattern": rf"^{self.pattern}$(?!\n)"}


def parse_query(query: bytes, parameters: Sequence[Parameter]) -> dict[str, str]:
    """Read a query string, in which each argument may stand once.

    Raises:
        QueryError: An argument is unknown, repeated, missing or not as its parameter wants it.
    """
    if not query and not parameters:
        return {}  # As it is with nearly every request.
    try:
        text = query.decode("ascii")
        if len(text) > _MAX_QUERY_LENGTH:
            raise QueryError("query too long")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True) if text else []
    except ValueError as error:
        raise QueryError("query malformed") from error
    values = dict(pairs)
    if len(values) != len(pairs):
        raise QueryError("query argument repeated")
    if not values.keys() <= {each.name for each in parameters}:
        raise QueryError("query argument unknown")
    for each in parameters:
        _check(each, values, QueryError)
    return values


def check_path(values: Mapping[str, str], parameters: Sequence[Parameter]) -> None:
    """Refuse path parameters that are not as they should be.

    Raises:
        PathError: One is not.
    """
    for each in parameters:
        _check(each, values, PathError)


def _check(
    parameter: Parameter, values: Mapping[str, str], error: type[QueryError] | type[PathError]
) -> None:
    value = values.get(parameter.name)
    if value is None and parameter.required:
        raise error(f"{parameter.place} {parameter.name} missing")
    if value is not None and not parameter.allows(value):
        raise error(f"{parameter.place} {parameter.name} malformed")
