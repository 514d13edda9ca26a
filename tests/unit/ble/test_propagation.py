import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.ble import InvalidShadowingError, Position, Shadowing, path_loss_db

metres = st.floats(min_value=0.2, max_value=1e4)


@pytest.mark.parametrize(("distance", "loss_db"), [(1, 54), (10, 66), (100, 78), (0, 42)])
def test_the_loss_is_that_of_the_model(distance: float, loss_db: float) -> None:
    assert path_loss_db(distance) == pytest.approx(loss_db)


@given(metres, metres)
def test_the_farther_the_more_is_lost(one: float, other: float) -> None:
    near, far = sorted((one, other))

    assert path_loss_db(near) <= path_loss_db(far)


def test_distance_is_measured_on_the_plane() -> None:
    assert Position(1, 1).distance_to(Position(4, 5)) == pytest.approx(5)


def test_a_pair_has_one_deviation_for_both_ways_and_whenever_it_is_asked() -> None:
    first, second = Shadowing(7), Shadowing(7)
    there = first.pair_db("a", "b")
    second.pair_db("c", "d")

    assert second.pair_db("b", "a") == there
    assert Shadowing(8).pair_db("a", "b") != there


def test_pairs_deviate_by_seven_decibels() -> None:
    shadowing = Shadowing("town")
    drawn = [shadowing.pair_db("phone", str(other)) for other in range(1000)]

    assert statistics.mean(drawn) == pytest.approx(0, abs=0.8)
    assert statistics.stdev(drawn) == pytest.approx(7, abs=0.6)


def test_names_that_run_together_are_different_pairs() -> None:
    shadowing = Shadowing(1)

    assert shadowing.pair_db("a b", "c") != shadowing.pair_db("a", "b c")


@pytest.mark.parametrize(
    "wrong",
    [
        {"pair_deviation_db": -1.0},
        {"scan_deviation_db": -0.1},
        {"packet_loss": 1.1},
        {"packet_loss": -0.1},
    ],
)
def test_shadowing_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidShadowingError):
        Shadowing(1, **wrong)
