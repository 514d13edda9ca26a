"""Open data: which cells there are, and what their totals are."""

from datetime import date
from math import sqrt

import pytest

from immuni.api import italy
from immuni.backend.analytics.opendata.cells import Cell, Level, OpenData, Row, cells_of, rows_of
from immuni.backend.analytics.opendata.noise import noise_deviation

CELLS = cells_of(italy())


def data(reports: dict[Cell, int]) -> OpenData:
    return OpenData(date(2020, 6, 1), 1.0, date(2020, 7, 2), dict.fromkeys(CELLS, 0) | reports)


def row(rows: list[Row], place: str, platform: str, kind: str) -> Row:
    wanted = Cell(place, platform, kind)
    (found,) = [each for each in rows if Cell(each.place, each.platform, each.kind) == wanted]
    return found


def test_there_is_a_cell_for_each_place_platform_and_kind() -> None:
    assert len(set(CELLS)) == len(CELLS) == 108 * 2 * 3
    assert {cell.place for cell in CELLS} == italy().codes
    assert Cell("EX", "ios", "notified") in CELLS


def test_totals_are_sums_of_what_is_published() -> None:
    rows = rows_of(
        data(
            {
                Cell("MI", "ios", "healthy"): 5,
                Cell("BG", "android", "healthy"): -2,
                Cell("RM", "ios", "healthy"): 100,
                Cell("EX", "ios", "healthy"): 7,
                Cell("MI", "ios", "notified"): 1000,
            }
        ),
        italy(),
    )

    assert row(rows, "MI", "ios", "healthy") == Row(Level.PROVINCE, "MI", "ios", "healthy", 5, 1)
    assert row(rows, "MI", "all", "healthy").reports == 5
    lombardy = row(rows, "Lombardia", "all", "healthy")
    assert (lombardy.level, lombardy.reports, lombardy.cells) == (Level.REGION, 3, 24)
    assert row(rows, "EX", "ios", "healthy").level == Level.ABROAD
    country = row(rows, "all", "all", "healthy")
    assert (country.level, country.reports, country.cells) == (Level.COUNTRY, 110, 216)


def test_every_cell_is_in_one_row_of_its_own() -> None:
    rows = rows_of(data({}), italy())

    single = [
        Cell(each.place, each.platform, each.kind)
        for each in rows
        if each.level in {Level.PROVINCE, Level.ABROAD} and each.platform != "all"
    ]
    assert sorted(single) == sorted(CELLS)
    assert len(rows) == (108 + 20 + 1) * 3 * 3


@pytest.mark.parametrize("cells", [1, 4])
def test_noise_of_sums_grows_with_the_root(cells: int) -> None:
    assert noise_deviation(1.0, cells) == pytest.approx(noise_deviation(1.0) * sqrt(cells))


def test_a_smaller_budget_is_more_noise() -> None:
    assert noise_deviation(0.1) > 5 * noise_deviation(1.0)
