"""What is told of each day."""

from dataclasses import replace
from datetime import timedelta

import pytest

from immuni.keys import ReportType
from immuni.risk import (
    DailySummariesPreset,
    DailySummary,
    ExposureSummary,
    Infectiousness,
    find_windows,
    preset,
    summarise_days,
)
from tests.unit.risk.moments import START, Met, meeting
from tests.unit.risk.windows import DAY, ONE, scan, window

TEST, CLINICAL = ReportType.CONFIRMED_TEST, ReportType.CONFIRMED_CLINICAL_DIAGNOSIS


def sums(maximum: float, total: float, duration: float) -> ExposureSummary:
    """Return a summary of these numbers."""
    return ExposureSummary(
        maximum_score=maximum, score_sum=total, weighted_duration_sum_seconds=duration
    )


def test_nothing_that_counts_is_no_day() -> None:
    assert summarise_days([], ONE, now=START) == ()
    assert summarise_days([window()], replace(ONE, minimum_window_score=301), now=START) == ()


def test_a_day_has_the_maximum_the_sum_and_the_weighted_duration_of_its_windows() -> None:
    configuration = replace(
        ONE,
        attenuation_weights=(2, 1, 0.5, 0),
        report_type_weights={TEST: 1, CLINICAL: 0.5},
        infectiousness_weights={Infectiousness.STANDARD: 0.3, Infectiousness.HIGH: 1},
    )
    windows = [
        window(scan(40), scan(40), scan(80)),
        window(scan(55), infectiousness=Infectiousness.STANDARD),
        window(scan(65, 120), scan(55, 240), report_type=CLINICAL),
        window(scan(80), scan(90)),
    ]

    # By hand: 1200 · 1 · 1; 300 · 1 · 0.3; (60 + 240) · 0.5 · 1; and nothing that counts.
    assert summarise_days(windows, configuration, now=START) == (
        DailySummary(
            day=DAY,
            overall=sums(1200, 1440, 1800),
            by_report_type={TEST: sums(1200, 1290, 1500), CLINICAL: sums(150, 150, 300)},
        ),
    )


def test_windows_that_do_not_count_are_not_part_of_any_sum() -> None:
    windows = [window(scan(seconds=300)), window(scan(seconds=240)), window(scan(seconds=60))]

    (summary,) = summarise_days(windows, replace(ONE, minimum_window_score=240), now=START)

    assert summary.overall == sums(300, 540, 540)


def test_days_come_oldest_first() -> None:
    days = [DAY - timedelta(days=ago) for ago in (1, 3, 0)]

    summaries = summarise_days([window(day=day) for day in days], ONE, now=START)

    assert [summary.day for summary in summaries] == sorted(days)


def test_days_longer_ago_than_the_threshold_are_left_out() -> None:
    windows = [window(day=DAY - timedelta(days=ago)) for ago in range(20)]
    configuration = replace(ONE, days_since_exposure_threshold=10)

    assert len(summarise_days(windows, configuration, now=START)) == 11
    assert len(summarise_days(windows, ONE, now=START)) == 20


def test_sums_do_not_depend_on_the_order_of_windows() -> None:
    tenth = replace(ONE, attenuation_weights=(0.1, 0.7, 0.3, 0.9))
    windows = [window(scan(typical, 60)) for typical in range(40, 90, 7)]

    assert summarise_days(windows, tenth, now=START) == summarise_days(
        windows[::-1], tenth, now=START
    )


def test_twenty_minutes_at_a_metre_reach_the_sum_from_which_koronavilkku_warned() -> None:
    deployment = preset("koronavilkku")
    assert isinstance(deployment, DailySummariesPreset)
    heard = [replace(each, since_scan=timedelta(minutes=5)) for each in meeting(20, 55)]

    (summary,) = summarise_days(
        find_windows([Met(heard)], deployment.mapping), deployment.configuration, now=START
    )

    # Four scans of 300 s in the near range.
    assert summary.overall.score_sum == 1200 >= deployment.warning_score


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        summarise_days([], ONE, now=START.replace(tzinfo=None))
