"""The share of phones that reported, from what each drew against."""

from datetime import date

from immuni.backend.analytics.insights.counting import RateFrom
from immuni.backend.analytics.insights.counts import MonthCounts, ReportKey
from immuni.backend.analytics.insights.rates import effective_rates

FIRST, SECOND = date(2020, 6, 1), date(2020, 6, 2)
STEADY = [RateFrom("ios", 1, 1.0, 0.5), RateFrom("android", 1, 1.0, 0.5)]


def rates_of(
    reports: dict[ReportKey, int], rates: dict[date, list[RateFrom]]
) -> dict[tuple[str, str, str], float | None]:
    counts = MonthCounts(days=(FIRST, SECOND), reports=reports)
    return {
        (each.subject, each.breakdown, each.node): each.rate
        for each in effective_rates(counts, rates)
    }


def healthy(
    day: date, count: int, *, platform: str = "ios", build: str = "1"
) -> dict[ReportKey, int]:
    return {ReportKey(day, "TO", platform, build, "healthy"): count}


def test_a_steady_rate_is_the_effective_one() -> None:
    found = rates_of(healthy(FIRST, 100), {FIRST: STEADY})

    assert found == {
        ("active", "nothing", "all"): 0.5,
        ("active", "build", "ios"): 0.5,
        ("active", "build", "ios 1"): 0.5,
    }


def test_reports_stand_for_phones_at_the_rate_of_their_day_and_build() -> None:
    rates = {FIRST: STEADY, SECOND: [RateFrom("ios", 1, 1, 0.1), RateFrom("ios", 2, 1, 0.2)]}
    reports = healthy(FIRST, 100) | healthy(SECOND, 100) | healthy(SECOND, 100, build="2")

    found = rates_of(reports, rates)

    # 200 + 1000 + 500 phones.
    assert found["active", "nothing", "all"] == 0.176
    assert found["active", "build", "ios 1"] == 0.167
    assert found["active", "build", "ios 2"] == 0.2


def test_an_unknown_build_drew_against_the_newest_rate() -> None:
    rates = {FIRST: [RateFrom("ios", 1, 1, 0.1), RateFrom("ios", 2, 1, 0.2)]}

    assert rates_of(healthy(FIRST, 9, build="unknown"), rates)["active", "nothing", "all"] == 0.2


def test_reports_that_nobody_was_to_send_leave_the_rate_unknown() -> None:
    for rates in ({}, {FIRST: [RateFrom("ios", 1, 1, 0)]}, {FIRST: [RateFrom("android", 1, 1, 1)]}):
        found = rates_of(healthy(FIRST, 9), rates)
        assert set(found.values()) == {None}


def test_the_rates_with_and_without_exposure_are_two() -> None:
    reports = healthy(FIRST, 9) | {ReportKey(FIRST, "TO", "ios", "1", "notified"): 5}

    found = rates_of(reports, {FIRST: STEADY})

    assert found["active", "nothing", "all"] == 0.5
    assert found["notified", "nothing", "all"] == 1
