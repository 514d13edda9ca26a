import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.ble import Position
from immuni.ble.positions import Positions

REACH = 100.0
coordinates = st.floats(min_value=-500, max_value=500)
places = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=40)


def positions_of(everybody: list[tuple[float, float]]) -> Positions:
    positions = Positions(REACH)
    for number, (x, y) in enumerate(everybody):
        positions.place(str(number), Position(x, y))
    return positions


@given(places)
def test_those_near_are_exactly_those_in_reach(everybody: list[tuple[float, float]]) -> None:
    positions = positions_of(everybody)
    here = Position(*everybody[0])

    near = dict(positions.near("0"))

    assert near == {
        str(number): distance
        for number, (x, y) in enumerate(everybody)
        if number and (distance := here.distance_to(Position(x, y))) <= REACH
    }
    assert all(positions.metres("0", other) == metres for other, metres in near.items())


@given(places, places)
def test_who_moved_is_found_where_they_went(
    before: list[tuple[float, float]], after: list[tuple[float, float]]
) -> None:
    positions = positions_of(before)
    for number, (x, y) in enumerate(after):
        positions.place(str(number), Position(x, y))

    moved = positions_of([*after, *before[len(after) :]])
    assert dict(positions.near("0")) == dict(moved.near("0"))


def test_who_is_nowhere_or_too_far_is_infinitely_far() -> None:
    positions = positions_of([(0, 0), (REACH + 1, 0), (3, 4)])

    assert positions.metres("0", "1") == math.inf
    assert positions.metres("0", "nobody") == math.inf
    assert positions.metres("0", "2") == pytest.approx(5)
    assert list(positions.near("nobody")) == []


def test_who_left_is_near_nobody() -> None:
    positions = positions_of([(0, 0), (1, 0)])

    positions.remove("1")
    positions.remove("1")

    assert list(positions.near("0")) == []
