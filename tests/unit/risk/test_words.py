"""Scores in words."""

from dataclasses import replace
from datetime import timedelta

import pytest

from immuni.risk import (
    IMMUNI_DEFAULT,
    DailySummariesConfiguration,
    ExposureConfiguration,
    Infectiousness,
    explain_exposure,
    explain_window,
    in_words,
)
from tests.unit.risk.windows import DAY, ONE, scan, window

ATTENUATION = "Mean attenuation (signal lost on the way, less when near)"
LEVEL = "Transmission risk level (how infectious the other was)"


def exposure_in_words(
    configuration: ExposureConfiguration = IMMUNI_DEFAULT,
    *,
    attenuation_db: int = 55,
    days: int = 3,
    minutes: int = 20,
    level: int = 4,
) -> tuple[str, ...]:
    """Return why an ordinary exposure, but for what is given, scores what it scores."""
    return in_words(
        explain_exposure(
            configuration,
            attenuation_db=attenuation_db,
            days_since_exposure=days,
            duration=timedelta(minutes=minutes),
            transmission_risk_level=level,
        )
    )


def test_an_exposure_is_explained_factor_by_factor() -> None:
    assert exposure_in_words() == (
        f"{ATTENUATION}: 55 dB (above 51 dB, up to 63 dB), scores 5.",
        "Days since the exposure: 3 (from 2, below 4), scores 1.",
        "Duration: 20 min (above 15 min, up to 20 min), scores 5.",
        f"{LEVEL}: 4 of 8, scores 1.",
        "Together: 5 · 1 · 5 · 1 = 25.",
        "That reaches the minimum of 1, so the Total Risk Score is 25.",
    )


def test_the_outermost_buckets_are_open() -> None:
    first = exposure_in_words(attenuation_db=80, days=14, minutes=0)
    last = exposure_in_words(attenuation_db=10, days=0, minutes=35)

    assert first[:3] == (
        f"{ATTENUATION}: 80 dB (above 73 dB), scores 0.",
        "Days since the exposure: 14 (from 14), scores 1.",
        "Duration: 0 min (up to 0 min), scores 0.",
    )
    assert last[:3] == (
        f"{ATTENUATION}: 10 dB (up to 10 dB), scores 5.",
        "Days since the exposure: 0 (below 2), scores 1.",
        "Duration: 35 min (above 30 min), scores 5.",
    )


def test_an_unknown_level_and_a_missed_minimum_are_told() -> None:
    sentences = exposure_in_words(replace(IMMUNI_DEFAULT, minimum_risk_score=26), level=0)

    assert sentences[3] == f"{LEVEL}: unknown, so it does not weigh, scores 1."
    assert sentences[5] == "That is below the minimum of 26, so the Total Risk Score is 0."


def test_a_window_is_explained_range_by_range() -> None:
    configuration = replace(
        ONE,
        attenuation_weights=(2, 1, 0.5, 0),
        infectiousness_weights={Infectiousness.HIGH: 0.3},
    )
    heard = window(scan(40), scan(55), scan(55), scan(80, 120))

    assert in_words(explain_window(heard, configuration, today=DAY)) == (
        "Immediate (attenuation up to 50 dB): 300 s · 2 = 600 s.",
        "Near (attenuation above 50 dB, up to 60 dB): 600 s · 1 = 600 s.",
        "Other (attenuation above 70 dB): 120 s · 0 = 0 s.",
        "Weighted duration: 1200 s.",
        "Report type CONFIRMED_TEST: weighs 1.",
        "Infectiousness HIGH: weighs 0.3.",
        "Together: 1200 · 1 · 0.3 = 360.",
        "The window counts: its score is part of its day's sum.",
    )


@pytest.mark.parametrize(
    ("configuration", "verdict"),
    [
        (
            replace(ONE, minimum_window_score=300.5),
            "That is below 300.5: the window does not count.",
        ),
        (replace(ONE, report_type_weights={}), "What scores 0 does not count."),
        (
            replace(ONE, days_since_exposure_threshold=2),
            "It was 3 days ago, and more than 2 are too many: the window does not count.",
        ),
    ],
    ids=["too little", "nothing", "too long ago"],
)
def test_it_is_told_why_a_window_does_not_count(
    configuration: DailySummariesConfiguration, verdict: str
) -> None:
    explanation = explain_window(window(), configuration, today=DAY + timedelta(days=3))

    assert in_words(explanation)[-1] == verdict


def test_no_words_name_a_day() -> None:
    explanation = explain_window(window(), ONE, today=DAY)

    assert not any(str(DAY.year) in sentence for sentence in in_words(explanation))
