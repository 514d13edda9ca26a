import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.ble import Position, path_loss_db

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
