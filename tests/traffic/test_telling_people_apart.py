"""Whoever sees one sequence of requests cannot tell who uploads from a phone that pretends.

Hosts, sizes and TLS records of all requests are the same: the tests of packets, of transport and of
simulations show it on real connections. What is left are times: the hour, how many requests there
are, and the pauses between them.

An observer that is asked about 10 000 sequences is right by chance in 50 % of cases, give or take
half a percentage point.

Source:
    Traffic analysis mitigation, "What can and cannot be promised".
"""

from collections.abc import Callable
from typing import Final

import pytest
from benchmarks.simulations import (
    Draw,
    Seen,
    accuracy,
    of_a_person,
    of_nobody,
    of_nobody_at_any_hour,
    of_nobody_with_exponential_pauses,
)

from immuni.entropy import SeededEntropy
from tests.traffic.observer import distance

MOST: Final = 0.55
COUNT: Final = 5_000
_SOME: Final = 3000


def observed(simulated: Draw) -> float:
    entropy = SeededEntropy("observer")
    return accuracy(of_a_person, simulated, count=COUNT, entropy=entropy)


def test_an_observer_of_all_times_is_right_in_at_most_55_percent() -> None:
    assert observed(of_nobody) <= MOST


@pytest.mark.parametrize(
    "time",
    [
        lambda seen: seen.hour,
        lambda seen: len(seen.pauses),
        lambda seen: sum(seen.pauses),
        lambda seen: min(seen.pauses, default=0.0),
        lambda seen: max(seen.pauses, default=0.0),
    ],
    ids=["hour", "requests", "whole length", "shortest pause", "longest pause"],
)
def test_no_threshold_of_one_time_is_right_in_more_than_55_percent(
    time: Callable[[Seen], float],
) -> None:
    entropy = SeededEntropy("threshold")
    genuine = [time(of_a_person(entropy)) for _ in range(_SOME)]
    simulated = [time(of_nobody(entropy)) for _ in range(_SOME)]

    assert (1 + distance(genuine, simulated)) / 2 <= MOST


@pytest.mark.parametrize(
    "simulated", [of_nobody_with_exponential_pauses, of_nobody_at_any_hour], ids=["pauses", "hours"]
)
def test_simulations_that_are_not_like_people_are_found_out(simulated: Draw) -> None:
    assert observed(simulated) > MOST
