"""The share of phones that reported, from what each drew against and what is shown of them."""

from datetime import date

import pytest

from immuni.backend.analytics.insights.counting import RateFrom
from immuni.backend.analytics.insights.counts import MonthCounts, ReportKey
from immuni.backend.analytics.insights.figures import Ledger
from immuni.backend.analytics.insights.rates import effective_rates
from tests.unit.backend.analytics.insights.months import JUNE, closed

STEADY = [RateFrom("ios", 1, 1.0, 0.5), RateFrom("android", 1, 1.0, 0.5)]
Reports = dict[ReportKey, int]


def every_day(*rates: RateFrom) -> dict[date, list[RateFrom]]:
    return {day: list(rates) for day in JUNE}


def healthy(day: date, count: int, *, platform: str = "ios", build: str = "1") -> Reports:
    return {ReportKey(day, "TO", platform, build, "healthy"): count}


def rates_of(
    reports: Reports, rates: dict[date, list[RateFrom]]
) -> dict[tuple[str, str, str], float | None]:
    ledger = closed(MonthCounts(days=JUNE, reports=reports))
    return as_dict(ledger, rates)


def as_dict(
    ledger: Ledger, rates: dict[date, list[RateFrom]]
) -> dict[tuple[str, str, str], float | None]:
    return {
        (each.subject, each.breakdown, each.node): each.rate
        for each in effective_rates(ledger, JUNE, rates)
    }


def test_a_steady_rate_is_the_effective_one() -> None:
    found = rates_of(healthy(JUNE[0], 100), every_day(*STEADY))

    assert found["active", "nothing", "all"] == 0.5
    assert found["active", "build", "ios"] == 0.5
    assert found["active", "build", "ios 1"] == 0.5
    assert found["notified", "nothing", "all"] == 1


def test_reports_stand_for_phones_at_the_rate_of_their_day() -> None:
    later = [RateFrom("ios", 1, 1, 0.1), RateFrom("android", 1, 1, 0.1)]
    rates = every_day(*STEADY) | dict.fromkeys(JUNE[1:], later)

    found = rates_of(healthy(JUNE[0], 100) | healthy(JUNE[1], 200), rates)

    # 200 and 2000 phones.
    assert found["active", "nothing", "all"] == pytest.approx(300 / 2200)


def test_reports_stand_for_phones_at_the_rate_of_their_build() -> None:
    rates = every_day(RateFrom("ios", 1, 1, 0.1), RateFrom("ios", 2, 1, 0.2))
    reports = healthy(JUNE[0], 100) | healthy(JUNE[0], 300, build="2")

    found = rates_of(reports, rates)

    assert found["active", "nothing", "all"] == pytest.approx(400 / (1000 + 1500))
    assert found["active", "build", "ios 1"] == pytest.approx(0.1)
    assert found["active", "build", "ios 2"] == pytest.approx(0.2)


@pytest.mark.parametrize("hidden", [1, 5, 9])
def test_rates_tell_nothing_of_a_build_that_is_withheld(hidden: int) -> None:
    rates = every_day(RateFrom("ios", 1, 1, 0.5), RateFrom("ios", 9, 1, 0.1))
    reports = healthy(JUNE[0], 500 - hidden) | healthy(JUNE[0], hidden, build="9")
    reports |= healthy(JUNE[0], 500, build="2")

    found = rates_of(reports, rates)

    assert found["active", "nothing", "all"] == pytest.approx(0.5)
    assert ("active", "build", "ios 9") not in found


@pytest.mark.parametrize("hidden", [1, 5, 9])
def test_rates_tell_nothing_of_a_day_that_is_withheld(hidden: int) -> None:
    rare = [RateFrom("ios", 1, 1, 0.01), RateFrom("android", 1, 1, 0.01)]
    rates = every_day(*STEADY) | {JUNE[1]: rare, JUNE[2]: rare}
    reports = healthy(JUNE[0], 500) | healthy(JUNE[1], hidden) | healthy(JUNE[2], 100 - hidden)

    assert rates_of(reports, rates)["active", "nothing", "all"] == pytest.approx(0.5)


def test_an_unknown_build_drew_against_the_newest_rate() -> None:
    rates = every_day(RateFrom("ios", 1, 1, 0.1), RateFrom("ios", 2, 1, 0.2))

    found = rates_of(healthy(JUNE[0], 50, build="unknown"), rates)

    assert found["active", "build", "ios unknown"] == pytest.approx(0.2)


def test_before_the_end_of_the_month_both_platforms_count_alike() -> None:
    counts = MonthCounts(days=JUNE, reports=healthy(JUNE[0], 100))
    rates = every_day(RateFrom("ios", 1, 1, 0.2), RateFrom("android", 1, 1, 0.1))

    found = as_dict(closed(counts, until=JUNE[6]), rates)

    assert found["active", "nothing", "all"] == pytest.approx(2 / (1 / 0.2 + 1 / 0.1))


def test_where_nobody_was_to_report_or_nobody_knows_the_rate_is_unknown() -> None:
    nobody = every_day(RateFrom("ios", 1, 1, 0))
    others = every_day(RateFrom("android", 1, 1, 1))
    for rates in ({}, nobody, others):
        assert rates_of(healthy(JUNE[0], 90), rates)["active", "nothing", "all"] is None


def test_rates_that_differ_make_the_variance_larger() -> None:
    later = [RateFrom("ios", 1, 1, 0.1), RateFrom("android", 1, 1, 0.1)]
    counts = MonthCounts(days=JUNE, reports=healthy(JUNE[0], 500) | healthy(JUNE[1], 100))
    rates = every_day(*STEADY) | dict.fromkeys(JUNE[1:], later)

    of_all = effective_rates(closed(counts), JUNE, rates)[0]
    steady = effective_rates(closed(counts), JUNE, every_day(*STEADY))[0]

    # Each thousand phones: 500 ± √500 by half of them, 100 ± √900 by a tenth.
    assert of_all.rate == pytest.approx(600 / 2000)
    assert of_all.spread == pytest.approx((1000 + 9000) / (600 / 0.3**2 - 600 / 0.3))
    assert steady.rate == pytest.approx(0.5)
    assert steady.spread == pytest.approx(1)
