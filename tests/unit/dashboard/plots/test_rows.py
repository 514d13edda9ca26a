"""Bars, intervals and bands lie where their numbers are."""

from immuni.dashboard.estimates import Estimate
from immuni.dashboard.plots.bands import Point, band_plot
from immuni.dashboard.plots.bars import HEIGHT, ROOM
from immuni.dashboard.plots.rows import bar_rows, interval_rows


def test_the_longest_bar_fills_its_cell_and_the_others_compare_with_it() -> None:
    rows = bar_rows([("a", 200), ("b", 50), ("c", 0)], say=lambda count, of: f"{count} of {of}")

    assert [row.length for row in rows] == [100, 25, 0]
    assert rows[1].said == "50 of 250"


def test_nothing_is_drawn_of_what_is_withheld() -> None:
    (row,) = bar_rows([("a", None)], say=lambda *_: "")
    (interval,) = interval_rows([("a", None, True)])

    for each in (row, interval):
        assert (each.length, each.low, each.high) == (None, None, None)
        assert each.withheld
        assert each.said == "withheld"


def test_an_interval_lies_around_its_dot() -> None:
    known, unknown = interval_rows([("a", Estimate(500, 400, 650), False), ("b", None, False)])

    assert known.low is not None
    assert known.length is not None
    assert known.high is not None
    assert 0 < known.low < known.length < known.high <= 100
    assert (unknown.said, unknown.withheld) == ("not known", False)


def test_a_band_goes_there_above_and_back_below() -> None:
    plot = band_plot([Point("", "", 0, 50, 100), Point("", "", 50, 50, 50)], say=str)

    corners = [tuple(map(float, each.split(","))) for each in plot.band.split()]
    assert corners == [
        (25, ROOM),
        (75, ROOM + HEIGHT / 2),
        (75, ROOM + HEIGHT / 2),
        (25, ROOM + HEIGHT),
    ]
    assert len(plot.line.split()) == 2


def test_days_of_which_only_the_least_is_known_have_no_band() -> None:
    plot = band_plot([Point("", "", 10, None, None)], say=str)

    assert plot.band == ""
    assert plot.dots == (None,)
