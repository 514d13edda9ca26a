import gc
from collections.abc import Iterator

import pytest

from immuni.deployment.collecting import collect_rarely


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_there_when_serving_begins_is_not_looked_at_again() -> None:
    there: list[list[int]] = [[] for _ in range(1000)]

    collect_rarely()

    assert gc.get_freeze_count() > len(there)
    assert not any(each is there for each in gc.get_objects())


def test_new_circles_are_still_found() -> None:
    collect_rarely()
    circle: list[object] = []
    circle.append(circle)
    del circle

    assert gc.isenabled()
    assert gc.collect() >= 1
    assert gc.get_threshold()[0] > 700
