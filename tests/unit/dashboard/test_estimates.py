"""Estimates hold what they promise, over many months in which the truth is known."""

from math import log, log1p, sqrt
from random import Random

import pytest

from immuni.dashboard.estimates import CONFIDENCE, Estimate, estimate

MONTHS = 2000


def sampled(random: Random, phones: int, rate: float) -> int:
    """Return how many of some phones report; skips from one that reports to the next."""
    if rate == 1:
        return phones
    reports, place = 0, 0
    while (place := place + 1 + int(log(1 - random.random()) / log1p(-rate))) <= phones:
        reports += 1
    return reports


def estimated(reports: list[int], rates: list[float]) -> Estimate:
    """Estimate a country's phones, from what came at each rate."""
    pairs = list(zip(reports, rates, strict=True))
    phones = sum(count / rate for count, rate in pairs)
    if not phones:
        return estimate(0, max(rates))
    rate = sum(reports) / phones
    variance = sum(count / each**2 - count / each for count, each in pairs)
    return estimate(sum(reports), rate, spread=max(1, variance / (phones / rate - phones)))


def share_of_months_held(rates: list[float], *, error: float = 1) -> float:
    """Return how often the interval holds the truth; true rates are `error` times the known.

    The rates are each in force for an equal part of the month, in which about as many phones draw.
    Several are of a country: more than a few phones report at each.
    """
    random = Random(20200601)  # noqa: S311 - test data
    held = 0
    for _ in range(MONTHS):
        typical = random.choice([2, 10, 60]) / rates[0] if len(rates) == 1 else 1000
        phones = [int(random.uniform(0.8, 1.2) * typical) for _ in rates]
        reports = [
            sampled(random, each, rate * error) for each, rate in zip(phones, rates, strict=True)
        ]
        found = estimated(reports, rates)
        held += found.low <= sum(phones) <= found.high
    return held / MONTHS


@pytest.mark.parametrize(
    "rates", [[0.02], [0.1], [0.5], [0.1, 0.2], [0.1, 0.5], [0.05, 0.5, 0.2], [0.2, 1]], ids=str
)
def test_intervals_hold_the_truth_as_often_as_they_say(rates: list[float]) -> None:
    deviation = sqrt(CONFIDENCE * (1 - CONFIDENCE) / MONTHS)

    share = share_of_months_held(rates)

    assert share > CONFIDENCE - 3 * deviation
    assert share < 0.995, "intervals that always hold say nothing"


def test_rates_far_apart_make_estimates_less_certain_than_one_rate_does() -> None:
    one, several = estimate(1000, 0.2), estimate(1000, 0.2, spread=4)

    assert several.phones == one.phones == 5000
    assert several.high - 5000 == pytest.approx(2 * (one.high - 5000), abs=2)
    assert 5000 - several.low == pytest.approx(2 * (5000 - one.low), abs=2)


def test_intervals_from_a_wrong_rate_fail() -> None:
    assert share_of_months_held([0.1], error=0.7) < 0.85


def test_an_estimate_is_reports_by_the_rate() -> None:
    found = estimate(20, 0.1)

    assert found.phones == 200
    assert 20 <= found.low < 200 < found.high


def test_no_report_bounds_the_phones_from_above() -> None:
    found = estimate(0, 0.01)

    assert (found.phones, found.low) == (0, 0)
    # So many phones stay silent all together once in forty times.
    assert found.high > log(0.025) / log(0.99)


def test_a_rate_of_one_leaves_nothing_to_estimate() -> None:
    assert estimate(7, 1) == Estimate(7, 7, 7)


def test_a_tiny_rate_gives_a_wide_interval() -> None:
    found = estimate(1, 1e-6)

    assert found.phones == 1_000_000
    assert 0 < found.low < 60_000
    assert found.high > 5_000_000


@pytest.mark.parametrize("rate", [0, -0.1, 1.1, float("nan")])
def test_a_rate_lies_above_0_and_not_above_1(rate: float) -> None:
    with pytest.raises(ValueError, match="above 0 and not above 1"):
        estimate(5, rate)
