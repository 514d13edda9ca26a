"""The forecast against a simulation of what it describes: warnings, illness, calls, one by one."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from math import floor, log
from random import Random
from typing import NamedTuple

import pytest

from immuni.dashboard.forecast import (
    DayAhead,
    ForecastSettings,
    NotifiedPeriod,
    forecast,
)

TODAY = date(2020, 9, 8)
DAYS = 5
SETTINGS = ForecastSettings()
RISKY_DAYS = [TODAY - timedelta(days=age) for age in range(1, 11)]


class Story(NamedTuple):
    """What was reported, and what came of it."""

    reports: dict[date, int]
    onsets: Counter[date]
    calls: Counter[date]


def happens(phones: Mapping[date, int], rate: float, random: Random, error: float) -> Story:
    """Let phones warn, report, and their owners fall ill and call, as the settings say."""
    attack_rate = SETTINGS.forecast_attack_rate
    if error:
        attack_rate *= random.gammavariate(error**-2, error**2)
    story = Story({}, Counter(), Counter())
    for day, number in phones.items():
        story.reports[day] = sum(random.random() < rate for _ in range(number))
        for _ in range(sum(random.random() < attack_rate for _ in range(number))):
            incubation = random.lognormvariate(
                log(SETTINGS.forecast_incubation_median_days),
                log(SETTINGS.forecast_incubation_dispersion),
            )
            onset = day + timedelta(days=floor(random.random() + incubation))
            story.onsets[onset] += 1
            if random.random() < SETTINGS.forecast_calling_share:
                delay = 0
                while random.random() < 0.5:  # a mean of 1 day
                    delay += 1
                story.calls[onset + timedelta(days=delay)] += 1
    return story


def period(
    reports: Mapping[date, int | None],
    rate: float | None = 0.1,
    total: int | None = -1,
    earlier: int | None = 0,
) -> NotifiedPeriod:
    """Return a period; where no total is given, and none withheld, all is shown."""
    return NotifiedPeriod(
        last_day=TODAY - timedelta(days=1),
        reports=reports,
        earlier=earlier,
        total=sum(filter(None, reports.values())) if total == -1 else total,
        sampling_rate=rate,
    )


def ahead(*periods: NotifiedPeriod, settings: ForecastSettings = SETTINGS) -> tuple[DayAhead, ...]:
    days = forecast(periods, first_day=TODAY, settings=settings)
    assert days is not None
    return days


def withheld_as_shown(reports: dict[date, int]) -> dict[date, int | None]:
    """Withhold small counts, and the greatest with them."""
    small = {day for day, count in reports.items() if 0 < count < 10}
    if small:
        small.add(max(reports, key=reports.__getitem__))
    return {day: None if day in small else count for day, count in reports.items()}


@cache
def covered(
    phones_a_day: int, rate: float, error: float, *, is_withheld: bool
) -> tuple[float, float]:
    """Return how often the bands held what came: of onsets, and of calls.

    Of the first days, on which most comes: a band of few people holds them too often.
    """
    settings = ForecastSettings(forecast_attack_rate_error=error)
    random = Random(20200908)  # noqa: S311 - the same in every run
    runs, held = 150, Counter[str]()
    for _ in range(runs):
        phones = {day: random.randrange(2 * phones_a_day + 1) for day in RISKY_DAYS}
        story = happens(phones, rate, random, error)
        reports: Mapping[date, int | None] = story.reports
        if is_withheld:
            reports = withheld_as_shown(story.reports)
        known = period(reports, rate, total=sum(story.reports.values()))
        for day in ahead(known, settings=settings)[:DAYS]:
            onsets, calls = day.onsets, day.calls
            assert onsets.high is not None
            assert calls.high is not None
            held["onsets"] += onsets.low <= story.onsets[day.day] <= onsets.high
            held["calls"] += calls.low <= story.calls[day.day] <= calls.high
    return held["onsets"] / runs / DAYS, held["calls"] / runs / DAYS


@pytest.mark.parametrize(
    ("phones_a_day", "rate", "error", "is_withheld"),
    [
        (5, 0.2, 0.25, False),
        (60, 0.1, 0.25, False),
        (60, 0.1, 0.25, True),
        (60, 1.0, 0.25, False),
        (300, 0.01, 0, False),
        (400, 0.03, 0.25, False),
    ],
)
def test_a_band_holds_what_comes_as_often_as_it_says(
    phones_a_day: int, rate: float, error: float, *, is_withheld: bool
) -> None:
    onsets, calls = covered(phones_a_day, rate, error, is_withheld=is_withheld)

    assert onsets >= 0.93  # 95 % but for the chance of 150 runs
    assert calls >= 0.93  # 95 % but for the chance of 150 runs


def test_a_band_is_not_wider_than_it_has_to_be() -> None:
    """Where counts are large a band that held everything would tell nothing."""
    onsets, calls = covered(400, 0.03, 0.25, is_withheld=False)

    assert onsets <= 0.985
    assert calls <= 0.985


def test_the_expectation_is_the_mean_of_what_comes() -> None:
    random = Random(5)  # noqa: S311 - the same in every run
    phones = dict.fromkeys(RISKY_DAYS, 100)
    stories = [happens(phones, 0.1, random, 0.25) for _ in range(400)]
    forecasts = ahead(period(dict.fromkeys(RISKY_DAYS, 10)))

    for day in forecasts[:DAYS]:
        assert day.onsets.expected == pytest.approx(
            sum(story.onsets[day.day] for story in stories) / 400, rel=0.1
        )
        assert day.calls.expected == pytest.approx(
            sum(story.calls[day.day] for story in stories) / 400, rel=0.12
        )


def test_everybody_who_falls_ill_does_so_once_and_half_of_them_call() -> None:
    """One exposure just before the first day; nearly all begin within the horizon."""
    days = ahead(period({TODAY - timedelta(days=1): 1000}, rate=1.0))

    assert sum(day.onsets.expected or 0 for day in days) == pytest.approx(60, rel=0.02)
    assert sum(day.calls.expected or 0 for day in days) == pytest.approx(30, rel=0.06)


def test_the_days_are_the_coming_fourteen() -> None:
    days = ahead(period({RISKY_DAYS[0]: 10}))

    assert [day.day for day in days] == [TODAY + timedelta(days=each) for each in range(14)]


def test_nothing_is_known_without_a_period() -> None:
    assert forecast([], first_day=TODAY, settings=SETTINGS) is None


@pytest.mark.parametrize("rate", [None, 0.0])
def test_nothing_is_known_where_a_sampling_rate_is_not(rate: float | None) -> None:
    periods = [period({RISKY_DAYS[0]: 10}), period({RISKY_DAYS[0]: 10}, rate)]

    assert forecast(periods, first_day=TODAY, settings=SETTINGS) is None


def test_what_is_long_over_needs_no_sampling_rate() -> None:
    long_ago = TODAY - timedelta(days=60)
    old = NotifiedPeriod(
        last_day=long_ago, reports={long_ago: 10**6}, total=10**6, sampling_rate=None
    )
    recent = period({RISKY_DAYS[0]: 10})

    assert forecast([old, recent], first_day=TODAY, settings=SETTINGS) == ahead(recent)


def test_no_reports_are_not_no_phones() -> None:
    """At 1 % hundreds of phones may have warned of which none reported."""
    first = ahead(period({}, rate=0.01))[0]

    assert (first.onsets.low, first.onsets.expected) == (0, 0)
    assert first.onsets.high is not None
    assert first.onsets.high > 0
    assert ahead(period({}, rate=1.0))[0].onsets.high == 0


def test_withheld_counts_lie_between_nothing_and_what_the_total_leaves() -> None:
    """All of it where it matters least for the low end, all where it matters most for the high."""
    recent, old = TODAY - timedelta(days=4), TODAY - timedelta(days=10)
    hidden = ahead(period({recent: None, old: None, RISKY_DAYS[0]: 40}, total=140))
    as_recent = ahead(period({recent: 100, old: 0, RISKY_DAYS[0]: 40}))
    as_old = ahead(period({recent: 0, old: 100, RISKY_DAYS[0]: 40}))

    first = hidden[0].onsets
    assert (first.low, first.high) == (as_old[0].onsets.low, as_recent[0].onsets.high)
    assert as_old[0].onsets.expected is not None
    assert as_recent[0].onsets.expected is not None
    middle = (as_old[0].onsets.expected + as_recent[0].onsets.expected) / 2
    assert first.expected == pytest.approx(middle)


def test_withheld_reports_may_all_be_of_earlier_days() -> None:
    hidden = ahead(period({RISKY_DAYS[3]: None, RISKY_DAYS[0]: 40}, total=140, earlier=None))
    without = ahead(period({RISKY_DAYS[0]: 40}))

    assert hidden[0].onsets.low == without[0].onsets.low


@pytest.mark.parametrize("shown", [{}, {RISKY_DAYS[0]: 40}])
def test_only_the_low_end_is_known_where_the_total_is_withheld_too(
    shown: dict[date, int | None],
) -> None:
    """Small counts are hidden behind large ones, so `k_anonymity` bounds none of them."""
    hidden = ahead(period({**shown, RISKY_DAYS[3]: None}, total=None))
    without = ahead(period(shown))

    for day, least in zip(hidden, without, strict=True):
        assert (day.onsets.expected, day.onsets.high) == (None, None)
        assert (day.onsets.low, day.calls.low) == (least.onsets.low, least.calls.low)


def test_a_period_of_which_nothing_is_shown_is_none_without_reports() -> None:
    first = ahead(period({RISKY_DAYS[0]: 40}), period({}, total=None))[0]

    assert (first.onsets.expected, first.onsets.high) == (None, None)
    assert first.onsets.low == ahead(period({RISKY_DAYS[0]: 40}))[0].onsets.low


@pytest.mark.parametrize(
    "reports", [{RISKY_DAYS[0]: 40}, {RISKY_DAYS[0]: 38}, {RISKY_DAYS[0]: 40, RISKY_DAYS[1]: None}]
)
def test_a_total_that_its_parts_contradict_is_refused(reports: dict[date, int | None]) -> None:
    with pytest.raises(ValueError, match="do not agree with their shown total"):
        period(reports, total=39)


def test_shares_multiply() -> None:
    half = ForecastSettings(forecast_symptomatic_share=0.5)
    whole = ahead(period({RISKY_DAYS[0]: 40}))
    halved = ahead(period({RISKY_DAYS[0]: 40}), settings=half)

    assert [day.onsets.expected for day in halved] == pytest.approx(
        [(day.onsets.expected or 0) / 2 for day in whole]
    )
