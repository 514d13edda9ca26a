"""Estimates hold what they promise, over many months in which the truth is known."""

from datetime import date, timedelta
from math import log, log1p, sqrt
from random import Random

import pytest

from immuni.backend.analytics.insights.estimates import (
    CONFIDENCE,
    Estimate,
    MonthlyEstimates,
    ReportCount,
    SamplingRates,
    estimate,
    monthly_estimates,
)

JUNE = [date(2020, 6, 1) + timedelta(day) for day in range(30)]
MONTHS = 2000


def sampled(random: Random, phones: int, rate: float) -> int:
    """Return how many of some phones report; skips from one that reports to the next."""
    if rate == 1:
        return phones
    reports, place = 0, 0
    while (place := place + 1 + int(log(1 - random.random()) / log1p(-rate))) <= phones:
        reports += 1
    return reports


def share_of_months_held(rates_of_a_month: list[float], *, error: float = 1) -> float:
    """Return how often the interval holds the truth; true rates are `error` times the known."""
    random = Random(20200601)  # noqa: S311 - test data
    held = 0
    for _ in range(MONTHS):
        rates = {
            day: rates_of_a_month[i * len(rates_of_a_month) // 30] for i, day in enumerate(JUNE)
        }
        typical = random.choice([2, 10, 60]) / 30
        phones = {day: int(random.uniform(0, 2 * typical) / rate) for day, rate in rates.items()}
        reports = {day: sampled(random, phones[day], rates[day] * error) for day in JUNE}
        found = estimate(reports, rates)
        assert found is not None
        held += found.low <= sum(phones.values()) <= found.high
    return held / MONTHS


@pytest.mark.parametrize("rates", [[0.02], [0.1], [0.5], [0.02, 0.1], [0.05, 0.5, 0.2]], ids=str)
def test_intervals_hold_the_truth_as_often_as_they_say(rates: list[float]) -> None:
    deviation = sqrt(CONFIDENCE * (1 - CONFIDENCE) / MONTHS)

    share = share_of_months_held(rates)

    assert share > CONFIDENCE - 3 * deviation
    assert share < 0.995, "intervals that always hold say nothing"


def test_intervals_from_a_wrong_rate_fail() -> None:
    assert share_of_months_held([0.1], error=0.7) < 0.85


def test_an_estimate_is_reports_by_the_rate_of_their_day() -> None:
    reports = {JUNE[0]: 10, JUNE[1]: 10}

    found = estimate(reports, {JUNE[0]: 0.1, JUNE[1]: 0.5})

    assert found is not None
    assert found.phones == 120
    assert 20 <= found.low < 120 < found.high


def test_no_report_bounds_the_phones_from_above() -> None:
    found = estimate({JUNE[0]: 0}, {JUNE[0]: 0.01})

    assert found is not None
    assert (found.phones, found.low) == (0, 0)
    # So many phones stay silent all together once in forty times.
    assert found.high > log(0.025) / log(0.99)


def test_a_rate_of_one_leaves_nothing_to_estimate() -> None:
    assert estimate({JUNE[0]: 7}, {JUNE[0]: 1}) == Estimate(7, 7, 7)


def test_a_tiny_rate_gives_a_wide_interval() -> None:
    found = estimate({JUNE[0]: 1}, {JUNE[0]: 1e-6})

    assert found is not None
    assert found.phones == 1_000_000
    assert 0 < found.low < 60_000
    assert found.high > 5_000_000


@pytest.mark.parametrize("rates", [{}, {JUNE[0]: 0.1}, {JUNE[0]: 0.1, JUNE[1]: 0}], ids=str)
def test_nothing_is_estimated_without_the_rate_of_each_day(rates: dict[date, float]) -> None:
    assert estimate({JUNE[0]: 5, JUNE[1]: 0}, rates) is None


def a_count(reports: int, *, with_exposure: bool = False, is_healthy: bool = True) -> ReportCount:
    return ReportCount(
        received_on=JUNE[3], with_exposure=with_exposure, is_healthy=is_healthy, reports=reports
    )


def test_groups_are_active_healthy_and_notified_each_for_itself() -> None:
    rates = dict.fromkeys(JUNE, SamplingRates(with_exposure=1, without_exposure=0.5))
    counts = [
        ("TO", a_count(100)),
        ("TO", a_count(20, is_healthy=False)),
        ("TO", a_count(7, with_exposure=True)),
        ("MI", a_count(4, with_exposure=True, is_healthy=False)),
    ]

    found = monthly_estimates(counts, days=JUNE, rates=rates)

    turin, milan = found["TO"], found["MI"]
    assert turin.active is not None
    assert turin.healthy is not None
    assert (turin.active.phones, turin.healthy.phones) == (240, 200)
    assert turin.notified == Estimate(7, 7, 7)
    assert milan.active is not None
    assert milan.active.phones == 0
    assert milan.notified == Estimate(4, 4, 4)


def test_the_kinds_have_rates_of_their_own() -> None:
    rates = dict.fromkeys(JUNE, SamplingRates(with_exposure=1, without_exposure=0))

    found = monthly_estimates([("TO", a_count(3, with_exposure=True))], days=JUNE, rates=rates)

    assert found == {"TO": MonthlyEstimates(None, None, Estimate(3, 3, 3))}


def test_a_month_without_the_rate_of_one_day_has_no_estimate() -> None:
    rates = dict.fromkeys(JUNE[1:], SamplingRates(with_exposure=1, without_exposure=1))

    found = monthly_estimates([("TO", a_count(3))], days=JUNE, rates=rates)

    assert found == {"TO": MonthlyEstimates(None, None, None)}


def test_reports_of_other_days_and_days_of_two_months_are_refused() -> None:
    with pytest.raises(ValueError, match="not of these days"):
        monthly_estimates([("TO", a_count(3))], days=JUNE[:3], rates={})
    with pytest.raises(ValueError, match="several months"):
        monthly_estimates([("TO", a_count(3))], days=[*JUNE, date(2020, 7, 1)], rates={})


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_lies_between_0_and_1(rate: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        SamplingRates(with_exposure=rate, without_exposure=0.5)
