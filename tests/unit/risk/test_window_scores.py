"""The score of one window, factor by factor, and when it counts."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from immuni.keys import ReportType
from immuni.risk import (
    Closeness,
    DailySummariesConfiguration,
    ExposureWindow,
    Infectiousness,
    TimeInRange,
    WindowExplanation,
    explain_window,
)
from tests.unit.risk.windows import DAY, ONE, scan, window

WEIGHTS = replace(ONE, attenuation_weights=(2, 1, 0.5, 0))


def explained(
    window: ExposureWindow, configuration: DailySummariesConfiguration, *, days: int = 0
) -> WindowExplanation:
    """Return the explanation `days` after the day of most windows."""
    return explain_window(window, configuration, today=DAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("attenuation_db", "place"),
    [(0, 0), (50, 0), (51, 1), (60, 1), (61, 2), (70, 2), (71, 3), (147, 3)],
)
def test_a_threshold_belongs_to_the_nearer_range(attenuation_db: int, place: int) -> None:
    times = explained(window(scan(attenuation_db, 240)), ONE).times

    assert [time.seconds for time in times] == [240 if each == place else 0 for each in range(4)]


def test_the_minimum_attenuation_does_not_decide_the_range() -> None:
    times = explained(window(scan(55, 300, minimum_db=0)), ONE).times

    assert [time.seconds for time in times] == [0, 300, 0, 0]


def test_an_explanation_tells_each_range_and_each_weight() -> None:
    configuration = replace(
        WEIGHTS,
        report_type_weights={ReportType.CONFIRMED_TEST: 0.5},
        infectiousness_weights={Infectiousness.HIGH: 1.5},
        minimum_window_score=10,
        days_since_exposure_threshold=14,
    )

    explanation = explained(window(scan(50), scan(55), scan(55), scan(65)), configuration, days=3)

    assert explanation == WindowExplanation(
        day=DAY,
        times=(
            TimeInRange(closeness=Closeness.IMMEDIATE, above_db=None, at_most_db=50, seconds=300,
                        weight=2),
            TimeInRange(closeness=Closeness.NEAR, above_db=50, at_most_db=60, seconds=600,
                        weight=1),
            TimeInRange(closeness=Closeness.MEDIUM, above_db=60, at_most_db=70, seconds=300,
                        weight=0.5),
            TimeInRange(closeness=Closeness.OTHER, above_db=70, at_most_db=None, seconds=0,
                        weight=0),
        ),
        report_type=ReportType.CONFIRMED_TEST,
        report_type_weight=0.5,
        infectiousness=Infectiousness.HIGH,
        infectiousness_weight=1.5,
        minimum_window_score=10,
        days_since_exposure=3,
        days_since_exposure_threshold=14,
    )  # fmt: skip
    assert explanation.weighted_duration_seconds == 600 + 600 + 150
    assert explanation.score == Fraction("1012.5")
    assert explanation.counts


def test_weights_count_as_they_are_written() -> None:
    # As binary floats 300 · 0.3 · 0.7 is a little less than 63, and 300 · 0.3 · 1.1 a little more
    # than 99.
    less = replace(ONE, attenuation_weights=(0, 0.3, 0, 0),
                   infectiousness_weights={Infectiousness.HIGH: 0.7})  # fmt: skip
    more = replace(less, infectiousness_weights={Infectiousness.HIGH: 1.1})

    assert explained(window(), replace(less, minimum_window_score=63)).counts
    assert explained(window(), more).score == 99


@pytest.mark.parametrize(
    ("minimum", "counts"), [(0, True), (299.9, True), (300, True), (300.1, False)]
)
def test_a_window_counts_from_the_minimum_on(minimum: float, *, counts: bool) -> None:
    assert explained(window(), replace(ONE, minimum_window_score=minimum)).counts is counts


@pytest.mark.parametrize(
    "configuration",
    [
        replace(ONE, report_type_weights={}),
        replace(ONE, report_type_weights={ReportType.CONFIRMED_TEST: 0}),
        replace(ONE, infectiousness_weights={}),
        replace(ONE, infectiousness_weights={Infectiousness.HIGH: 0}),
        replace(ONE, attenuation_weights=(1, 0, 1, 1)),
    ],
    ids=["no report type", "report type", "no infectiousness", "infectiousness", "attenuation"],
)
def test_a_window_that_weighs_nothing_never_counts(
    configuration: DailySummariesConfiguration,
) -> None:
    explanation = explained(window(), configuration)

    assert explanation.score == 0
    assert not explanation.counts


def test_a_day_without_infectiousness_has_a_weight_like_the_others() -> None:
    harmless = window(infectiousness=Infectiousness.NONE)

    assert explained(harmless, ONE).counts
    assert not explained(
        harmless, replace(ONE, infectiousness_weights={Infectiousness.HIGH: 1})
    ).counts


@pytest.mark.parametrize(
    ("threshold", "days", "counts"),
    [(10, 10, True), (10, 11, False), (1, 1, True), (1, 2, False), (0, 1000, True)],
)
def test_a_window_longer_ago_than_the_threshold_does_not_count(
    threshold: int, days: int, *, counts: bool
) -> None:
    explanation = explained(
        window(), replace(ONE, days_since_exposure_threshold=threshold), days=days
    )

    assert explanation.days_since_exposure == days
    assert explanation.counts is counts


def test_a_window_of_a_phone_whose_clock_runs_ahead_is_of_today() -> None:
    assert explained(window(), ONE, days=-1).days_since_exposure == 0
