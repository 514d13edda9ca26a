"""The score of one exposure, at the edges of its buckets."""

from dataclasses import replace
from datetime import timedelta

import pytest

from immuni.risk import (
    IMMUNI_DEFAULT,
    MAX_TOTAL_RISK_SCORE,
    Bucket,
    ExposureConfiguration,
    ExposureExplanation,
    Factor,
    explain_exposure,
)
from immuni.risk import total_risk_score as score

BUCKETS = tuple(range(1, 9))
"""A score that tells its bucket: the first scores 1, the last 8."""
ONES = (1,) * 8
NEUTRAL = ExposureConfiguration(
    attenuation_thresholds=(50, 70),
    attenuation_bucket_scores=ONES,
    days_since_last_exposure_bucket_scores=ONES,
    duration_bucket_scores=ONES,
    transmission_risk_bucket_scores=ONES,
    minimum_risk_score=1,
)


def scored(
    configuration: ExposureConfiguration,
    *,
    attenuation_db: int = 54,
    days: int = 2,
    minutes: float = 30,
    level: int = 4,
) -> int:
    """Return the score of an ordinary exposure but for what is given."""
    return score(
        configuration,
        attenuation_db=attenuation_db,
        days_since_exposure=days,
        duration=timedelta(minutes=minutes),
        transmission_risk_level=level,
    )


@pytest.mark.parametrize(
    ("attenuation_db", "bucket"),
    [
        (255, 1), (74, 1), (73, 2), (64, 2), (63, 3), (52, 3), (51, 4), (34, 4),
        (33, 5), (28, 5), (27, 6), (16, 6), (15, 7), (11, 7), (10, 8), (0, 8),
    ],
)  # fmt: skip
def test_attenuation_falls_into_its_bucket(attenuation_db: int, bucket: int) -> None:
    configuration = replace(NEUTRAL, attenuation_bucket_scores=BUCKETS)

    assert scored(configuration, attenuation_db=attenuation_db) == bucket


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (100, 1), (14, 1), (13, 2), (12, 2), (11, 3), (10, 3), (9, 4), (8, 4),
        (7, 5), (6, 5), (5, 6), (4, 6), (3, 7), (2, 7), (1, 8), (0, 8),
    ],
)  # fmt: skip
def test_days_fall_into_their_bucket(days: int, bucket: int) -> None:
    configuration = replace(NEUTRAL, days_since_last_exposure_bucket_scores=BUCKETS)

    assert scored(configuration, days=days) == bucket


@pytest.mark.parametrize(
    ("minutes", "bucket"),
    [
        (0, 1), (0.1, 2), (5, 2), (5.1, 3), (10, 3), (10.1, 4), (15, 4), (15.1, 5),
        (20, 5), (20.1, 6), (25, 6), (25.1, 7), (30, 7), (30.1, 8), (1440, 8),
    ],
)  # fmt: skip
def test_duration_falls_into_its_bucket(minutes: float, bucket: int) -> None:
    configuration = replace(NEUTRAL, duration_bucket_scores=BUCKETS)

    assert scored(configuration, minutes=minutes) == bucket


@pytest.mark.parametrize("level", range(1, 9))
def test_each_transmission_level_has_its_own_score(level: int) -> None:
    configuration = replace(NEUTRAL, transmission_risk_bucket_scores=BUCKETS)

    assert scored(configuration, level=level) == level


def test_an_unknown_transmission_level_does_not_weigh() -> None:
    configuration = replace(NEUTRAL, transmission_risk_bucket_scores=(0,) * 8)

    assert scored(configuration, level=0) == 1
    assert scored(configuration, level=1) == 0


@pytest.mark.parametrize(("minimum", "expected"), [(23, 24), (24, 24), (25, 0)])
def test_a_score_below_the_minimum_is_zero(minimum: int, expected: int) -> None:
    configuration = replace(
        NEUTRAL,
        attenuation_bucket_scores=(4,) * 8,
        duration_bucket_scores=(6,) * 8,
        minimum_risk_score=minimum,
    )

    assert scored(configuration) == expected


def test_the_highest_score_is_the_product_of_four_eights() -> None:
    eights = (8,) * 8
    configuration = replace(
        NEUTRAL,
        attenuation_bucket_scores=eights,
        days_since_last_exposure_bucket_scores=eights,
        duration_bucket_scores=eights,
        transmission_risk_bucket_scores=eights,
    )

    assert scored(configuration) == MAX_TOTAL_RISK_SCORE == 4096


def test_weights_are_accepted_and_unused() -> None:
    configuration = replace(IMMUNI_DEFAULT, attenuation_weight=50, duration_weight=0.5)

    assert scored(configuration) == scored(IMMUNI_DEFAULT)


@pytest.mark.parametrize(
    ("attenuation_db", "minutes", "expected"),
    [(63, 20, 25), (54, 30, 25), (0, 1440, 25), (64, 1440, 0), (63, 15, 0), (0, 15, 0)],
)
def test_the_default_scores_what_is_near_for_more_than_fifteen_minutes(
    attenuation_db: int, minutes: int, expected: int
) -> None:
    assert scored(IMMUNI_DEFAULT, attenuation_db=attenuation_db, minutes=minutes) == expected


def test_an_explanation_tells_value_bucket_and_score_of_each_factor() -> None:
    explanation = explain_exposure(
        IMMUNI_DEFAULT,
        attenuation_db=55,
        days_since_exposure=3,
        duration=timedelta(minutes=20),
        transmission_risk_level=4,
    )

    assert explanation == ExposureExplanation(
        attenuation=Factor(55, Bucket(2, 51, 63), 5),
        days=Factor(3, Bucket(6, 2, 4, begins_at_lower=True), 1),
        duration=Factor(20, Bucket(4, 15, 20), 5),
        transmission_risk=Factor(4, None, 1),
        minimum_risk_score=1,
    )
    assert explanation.product == explanation.total_risk_score == 25


@pytest.mark.parametrize(
    ("attenuation_db", "days", "minutes", "limits"),
    [
        (74, 14, 0, [(73, None), (14, None), (None, 0)]),
        (73, 13, 5, [(63, 73), (12, 14), (0, 5)]),
        (10, 1, 35, [(None, 10), (None, 2), (30, None)]),
    ],
    ids=["the first buckets", "the second", "the last"],
)
def test_the_outermost_buckets_have_one_limit(
    attenuation_db: int, days: int, minutes: int, limits: list[tuple[int | None, int | None]]
) -> None:
    explanation = explain_exposure(
        IMMUNI_DEFAULT,
        attenuation_db=attenuation_db,
        days_since_exposure=days,
        duration=timedelta(minutes=minutes),
        transmission_risk_level=0,
    )

    buckets = [factor.bucket for factor in explanation.factors]
    assert [(each.lower, each.upper) for each in buckets if each] == limits


def test_a_product_below_the_minimum_is_explained_and_scores_nothing() -> None:
    explanation = explain_exposure(
        replace(IMMUNI_DEFAULT, minimum_risk_score=26),
        attenuation_db=55,
        days_since_exposure=0,
        duration=timedelta(minutes=20),
        transmission_risk_level=1,
    )

    assert (explanation.product, explanation.total_risk_score) == (25, 0)
