"""Every province has a tile of its own, about where it lies."""

from immuni.api import italy
from immuni.dashboard.plots.tiles import COLUMNS, ROWS, places, tile_map


def test_every_province_and_abroad_has_a_tile_of_its_own() -> None:
    assert places().keys() == italy().codes
    assert len(set(places().values())) == 108
    assert all(0 <= column < COLUMNS and 0 <= row < ROWS for column, row in places().values())


def test_italy_is_recognised() -> None:
    column = {code: place[0] for code, place in places().items()}
    row = {code: place[1] for code, place in places().items()}

    assert row["BZ"] < row["MI"] < row["BO"] < row["FI"] < row["RM"] < row["NA"] < row["RC"]
    assert column["TO"] < column["MI"] < column["VR"] < column["VE"] < column["TS"]
    assert column["CA"] < column["RM"] < column["PE"] < column["BA"] < column["LE"]
    assert row["RC"] == row["ME"]
    assert column["ME"] < column["RC"]
    assert row["PA"] < row["RG"]
    assert row["RG"] == max(row.values())


def test_a_region_lies_together() -> None:
    for region in italy().regions:
        found = [places()[each.code] for each in region.provinces]
        near, rest = found[:1], found[1:]
        while joined := [tile for tile in rest if any(_touch(tile, other) for other in near)]:
            near += joined
            rest = [tile for tile in rest if tile not in joined]
        assert not rest, region.region


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) == 1


def test_what_is_withheld_has_no_colour_and_what_is_not_known_neither() -> None:
    drawn = tile_map({"MI": 5, "TO": 900}, withheld={"RM"}, marked={"MI"}, titles={"MI": "Milano"})

    tiles = {tile.code: tile for tile in drawn.tiles}
    assert (tiles["RM"].withheld, tiles["RM"].colour) == (True, 0)
    assert (tiles["NA"].withheld, tiles["NA"].colour) == (False, 0)
    assert 1 <= tiles["MI"].colour < tiles["TO"].colour
    assert (tiles["MI"].marked, tiles["TO"].marked) == (True, False)
    assert tiles["MI"].title == "Milano"
