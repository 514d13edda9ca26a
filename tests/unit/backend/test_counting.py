from datetime import timedelta

import pytest

from immuni.backend.counting import Counted, delay_counter


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (-5, "delay:<30s"),
        (0, "delay:<30s"),
        (29.999, "delay:<30s"),
        (30, "delay:30-60s"),
        (89.999, "delay:60-90s"),
        (90, "delay:90-120s"),
        (120, "delay:120-150s"),
        (149.999, "delay:120-150s"),
        (150, "delay:>150s"),
        (3600, "delay:>150s"),
    ],
)
def test_a_delay_counts_between_the_bounds_around_it(seconds: float, name: str) -> None:
    assert delay_counter(timedelta(seconds=seconds)) == name


def test_every_delay_has_its_counter_and_no_counter_is_without_one() -> None:
    counters = {delay_counter(timedelta(seconds=seconds)) for seconds in range(200)}

    assert counters == set(Counted) - {Counted.AUTHORISED, Counted.CHECKED}
