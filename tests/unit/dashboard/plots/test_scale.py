"""Axes end at round numbers, and colours divide values evenly."""

import doctest
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.dashboard import months, words
from immuni.dashboard.plots import scale
from immuni.dashboard.plots.scale import CLASSES, Classes, ticks

VALUES = st.lists(st.floats(0, 1e9), min_size=1, max_size=120)


@pytest.mark.parametrize("module", [months, scale, words], ids=lambda module: module.__name__)
def test_the_examples_of_the_documentation_are_true(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]  # a module is an object

    assert found.attempted
    assert not found.failed


@given(st.floats(0, 1e12))
def test_an_axis_reaches_over_what_it_shows_in_few_round_steps(greatest: float) -> None:
    values = ticks(greatest)

    steps = {round(high - low, 6) for low, high in pairwise(values)}
    assert values[0] == 0
    assert values[-1] >= greatest
    assert 2 <= len(values) <= 6
    assert len(steps) == 1
    assert f"{steps.pop():e}"[0] in "125"


@given(VALUES)
def test_every_value_has_the_colour_of_the_range_that_holds_it(values: list[float]) -> None:
    classes = Classes.of(values)

    for value in values:
        (colour,) = (
            colour
            for colour, low, high in classes.ranges()
            if (low is None or value >= low) and (high is None or value < high)
        )
        assert classes.place(value) == colour
        assert 1 <= colour <= CLASSES


@given(VALUES)
def test_more_is_never_lighter(values: list[float]) -> None:
    classes = Classes.of(values)

    colours = [classes.place(value) for value in sorted(values)]
    assert colours == sorted(colours)


def test_a_hundred_different_values_are_divided_into_fifths() -> None:
    values = [1000 + 10.0 * each for each in range(100)]
    classes = Classes.of(values)

    colours = [classes.place(value) for value in values]
    for colour in range(1, CLASSES + 1):
        assert 10 <= colours.count(colour) <= 30


def test_values_that_are_all_alike_have_one_colour_and_no_values_none() -> None:
    assert Classes.of([7, 7, 7]).ranges() == [(3, None, None)]
    assert Classes.of([]).limits == ()
