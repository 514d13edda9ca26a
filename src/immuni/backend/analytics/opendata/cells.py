"""The cells of open data, fixed by the territory and by nothing that anybody reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

from immuni.api import Platform, Territory

ALL_PLACES: Final = "all"
ALL_PLATFORMS: Final = "all"


class Kind(StrEnum):
    """What a report says."""

    HEALTHY = "healthy"
    IMPAIRED = "impaired"
    NOTIFIED = "notified"


class Cell(NamedTuple):
    """One number of a month: the reports of a place, from a platform, of a kind."""

    place: str
    platform: str
    kind: str


class Level(StrEnum):
    """How much a row takes together."""

    PROVINCE = "province"
    ABROAD = "abroad"
    REGION = "region"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Row:
    """A published number.

    Attributes:
        level: What `place` is.
        place: Code of a province or of abroad, name of a region, or of the whole territory `all`.
        platform: `ios`, `android`, or both together as `all`.
        kind: `healthy`, `impaired` or `notified`.
        reports: With noise; may be negative.
        cells: How many cells were added up, each with noise of its own.
    """

    level: Level
    place: str
    platform: str
    kind: str
    reports: int
    cells: int


@dataclass(frozen=True, slots=True)
class OpenData:
    """What is published of a month, for ever the same.

    Attributes:
        month: Its first day.
        epsilon: What it cost of each phone's privacy in that month.
        charged_on: When it was charged.
        reports: Every cell, with noise.
    """

    month: date
    epsilon: float
    charged_on: date
    reports: Mapping[Cell, int]


def cells_of(territory: Territory) -> list[Cell]:
    """Return every cell, in an order that is always the same."""
    places = [each.code for each in territory.provinces()] + [territory.abroad]
    return [
        Cell(place, platform, kind) for place, platform, kind in product(places, Platform, Kind)
    ]


def rows_of(data: OpenData, territory: Territory) -> list[Row]:
    """Return the cells with their totals: regions, the whole territory, both platforms.

    Privacy:
        Totals are sums of what has noise already, so they cost nothing more.
    """
    rows: list[Row] = []
    for level, place, codes in _places(territory):
        for platform, kind in product([*Platform, ALL_PLATFORMS], Kind):
            platforms = [*Platform] if platform == ALL_PLATFORMS else [platform]
            parts = [
                data.reports[Cell(code, each, kind)] for code, each in product(codes, platforms)
            ]
            rows.append(Row(level, place, platform, kind, sum(parts), len(parts)))
    return rows


def _places(territory: Territory) -> list[tuple[Level, str, list[str]]]:
    """Return each place of a row with the codes that it takes together."""
    provinces: list[str] = [each.code for each in territory.provinces()]
    places = [(Level.PROVINCE, code, [code]) for code in provinces]
    places.append((Level.ABROAD, territory.abroad, [territory.abroad]))
    places.extend(
        (Level.REGION, each.region, [province.code for province in each.provinces])
        for each in territory.regions
    )
    return [*places, (Level.COUNTRY, ALL_PLACES, [*provinces, territory.abroad])]
