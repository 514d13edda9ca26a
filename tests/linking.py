"""An attacker who holds every database, and tries to tell which rows are of one person.

He knows nothing but what PostgreSQL keeps: each column, the hidden ones among them, the places of
rows and the sizes of values. The test lends him the truth to see how well each guess would do.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import product
from typing import Any, Final, TypeAlias
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

Person: TypeAlias = int
Row: TypeAlias = Mapping[str, Any]

_HIDDEN: Final = "ctid::text AS ctid, xmin::text::bigint, xmax::text::bigint, cmin::text::bigint"
_PLACE = re.compile(r"\((\d+),(\d+)\)")
CHANCE: Final = 0.6
"""A rank correlation that a hundred people reach by chance once in a hundred million times."""
_COINCIDENCES: Final = 10
"""Values that are equal by chance: two random orders agree in one place, on average."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two columns that tell which rows belong together."""

    here: str
    there: str
    correlation: float
    equal: int


def read_table(url: str, table: str) -> list[Row]:
    """Return all that is kept in a table, in the order of the rows' places."""
    schema, name = table.split(".")
    statement = SQL("SELECT {}, each.* FROM {} AS each ORDER BY each.ctid").format(
        SQL(_HIDDEN), Identifier(schema, name)
    )
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def of_people(rows: Sequence[Row], who: Callable[[Row], Person | None]) -> dict[Person, Row]:
    """Return one row of each person, by the truth."""
    found: dict[Person, Row] = {}
    for row in rows:
        if (person := who(row)) is not None:
            found.setdefault(person, row)
    return found


def links(here: Mapping[Person, Row], there: Mapping[Person, Row]) -> list[Link]:
    """Return every pair of columns that joins the two tables better than chance does."""
    people = sorted(here.keys() & there.keys())
    ours, theirs = ([_features(rows[each]) for each in people] for rows in (here, there))
    found = []
    for left, right in product(ours[0], theirs[0]):
        pairs = [(a[left], b[right]) for a, b in zip(ours, theirs, strict=True)]
        link = Link(left, right, _rank_correlation(pairs), _equal(pairs))
        if abs(link.correlation) > CHANCE or link.equal > _COINCIDENCES:
            found.append(link)
    return found


def _features(row: Row) -> dict[str, float]:
    """Turn whatever stands in a row into numbers that can be compared and put in order."""
    features = {}
    for name, value in row.items():
        features[name] = _number(value)
        if isinstance(value, bytes | str | list):
            features[f"size of {name}"] = float(len(value))
    return features


def _number(value: object) -> float:
    number: float
    match value:
        case None:
            number = -1
        case bool() | int() | float():
            number = value
        case datetime():
            number = value.timestamp()
        case date():
            number = value.toordinal()
        case UUID():
            number = value.int
        case bytes():
            number = int.from_bytes(value[:16])
        case str() if place := _PLACE.fullmatch(value):
            number = int(place[1]) * 1000 + int(place[2])
        case _:
            number = int.from_bytes(repr(value).encode()[:16])
    return float(number)


def _rank_correlation(pairs: Sequence[tuple[float, float]]) -> float:
    """Return Spearman's coefficient; 0 where one side says nothing at all."""
    left, right = (_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    mean = (len(pairs) - 1) / 2
    over = sum((a - mean) * (b - mean) for a, b in zip(left, right, strict=True))
    under = sum((a - mean) ** 2 for a in left) * sum((b - mean) ** 2 for b in right)
    return float(over / under**0.5) if under else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values)):
        places.setdefault(value, []).append(place)
    return [sum(places[value]) / len(places[value]) for value in values]


def _equal(pairs: Sequence[tuple[float, float]]) -> int:
    """Count the people whom a value names that nobody else has on either side."""
    left, right = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    return sum(a == b and left[a] == right[b] == 1 for a, b in pairs)
