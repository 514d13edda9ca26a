"""Italy as a grid of tiles: one for each province, about where it lies, and one for abroad.

On a true map the large and empty provinces would be seen and the small and full ones not.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from immuni.dashboard.plots.scale import Classes

COLUMNS, ROWS = 14, 20


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile.

    Attributes:
        code: Of the province; stands on it.
        column: Place from the left, from 0.
        row: Place from the top, from 0.
        colour: Class of its value, from 1; 0 where there is none.
        withheld: Whether its value is not shown: then it is hatched.
        marked: Whether there is a warning about it.
        title: What a reader is told who points at it.
    """

    code: str
    column: int
    row: int
    colour: int
    withheld: bool
    marked: bool
    title: str


@dataclass(frozen=True, slots=True)
class TileMap:
    """All tiles, and what their colours mean."""

    tiles: tuple[Tile, ...]
    classes: Classes


@cache
def places() -> Mapping[str, tuple[int, int]]:
    """Return column and row of each code, abroad included."""
    text = files("immuni.dashboard.plots").joinpath("tiles.json").read_text(encoding="utf-8")
    return {code: (column, row) for code, (column, row) in json.loads(text).items()}


def tile_map(
    values: Mapping[str, float],
    *,
    withheld: Collection[str],
    marked: Collection[str],
    titles: Mapping[str, str],
) -> TileMap:
    """Colour the tiles.

    Args:
        values: Of the codes that have one.
        withheld: Codes whose value is not shown.
        marked: Codes about which there is a warning.
        titles: What a reader is told of each code.
    """
    classes = Classes.of(values.values())
    return TileMap(
        tuple(
            Tile(
                code, column, row,
                colour=classes.place(values[code]) if code in values else 0,
                withheld=code in withheld,
                marked=code in marked,
                title=titles.get(code, code),
            )
            for code, (column, row) in places().items()
        ),
        classes,
    )  # fmt: skip
