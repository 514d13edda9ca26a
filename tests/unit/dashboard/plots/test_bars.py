"""Where bars stand, and what is drawn of counts that are not shown."""

from itertools import pairwise

import pytest

from immuni.dashboard.plots.bars import HEIGHT, ROOM, BarPlot, Column, bar_plot

GROUND = ROOM + HEIGHT


def plot(*parts: tuple[int | None, ...]) -> BarPlot:
    return bar_plot([Column("", "", each) for each in parts], say=lambda value: f"{value:g}")


def test_a_bar_is_as_high_as_its_count() -> None:
    full, half = plot((1000,), (500,)).bars

    assert (full.parts[0].y, full.parts[0].height) == (ROOM, HEIGHT)
    assert half.parts[0].height == HEIGHT / 2
    assert half.parts[0].y + half.parts[0].height == GROUND


def test_parts_stand_on_each_other() -> None:
    (bar,) = plot((600, 400)).bars

    lower, upper = bar.parts
    assert lower.y + lower.height == GROUND
    assert upper.y + upper.height == pytest.approx(lower.y)
    assert upper.y == ROOM
    assert (lower.series, upper.series) == (1, 2)


def test_bars_share_the_width_and_do_not_touch() -> None:
    bars = plot(*[(each,) for each in range(31)]).bars

    for left, right in pairwise(bars):
        assert left.x + left.width < right.x
    assert bars[0].x > 0
    assert bars[-1].x + bars[-1].width < 100


def test_a_withheld_count_is_a_stub_that_tells_no_height() -> None:
    stubs = {
        bar.withheld for bar in plot((1000,), (None,)).bars[1:] + plot((20,), (None,)).bars[1:]
    }

    (stub,) = stubs
    assert stub is not None
    assert stub.y + stub.height == GROUND


def test_a_withheld_part_stands_on_what_is_shown() -> None:
    (bar,) = plot((500, None)).bars

    assert bar.withheld is not None
    assert bar.withheld.y + bar.withheld.height == bar.parts[0].y


def test_nothing_is_drawn_of_0_and_of_what_is_not_known() -> None:
    (zero,) = plot((0,)).bars
    (unknown,) = bar_plot([Column("1", "", (), is_known=False)], say=str).bars

    assert (zero.parts, zero.withheld) == ((), None)
    assert (unknown.parts, unknown.withheld) == ((), None)


def test_the_least_count_can_be_seen() -> None:
    _, bar = plot((1_000_000,), (1,)).bars

    assert bar.parts[0].height >= 2


def test_no_column_is_a_plot_too() -> None:
    assert bar_plot([], say=str).bars == ()
