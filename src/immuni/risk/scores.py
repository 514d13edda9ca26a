"""The Total Risk Score of one exposure."""

from datetime import timedelta
from typing import Final

from immuni.risk.configuration import ExposureConfiguration

_ATTENUATION_ABOVE_DB: Final = (73, 63, 51, 33, 27, 15, 10)
_DAYS_AT_LEAST: Final = (14, 12, 10, 8, 6, 4, 2)
_MINUTES_AT_MOST: Final = (0, 5, 10, 15, 20, 25, 30)
_LAST_BUCKET: Final = 7
_SCORE_OF_UNKNOWN_LEVEL: Final = 1


def total_risk_score(
    configuration: ExposureConfiguration,
    *,
    attenuation_db: int,
    days_since_exposure: int,
    duration: timedelta,
    transmission_risk_level: int,
) -> int:
    """Return the product of the four scores, or 0 where it is below the minimum.

    Args:
        configuration: The parameters of the model.
        attenuation_db: Mean attenuation.
        days_since_exposure: Whole UTC days.
        duration: Rounded to steps of five minutes, not capped.
        transmission_risk_level: 0..8; level 0 says nothing, so it does not weigh.

    Returns:
        0..4096.

    Source:
        Risk model v1, "Total Risk Score".
    """
    score = (
        configuration.attenuation_bucket_scores[_attenuation_bucket(attenuation_db)]
        * configuration.days_since_last_exposure_bucket_scores[_days_bucket(days_since_exposure)]
        * configuration.duration_bucket_scores[_duration_bucket(duration)]
        * _transmission_score(configuration, transmission_risk_level)
    )
    return score if score >= configuration.minimum_risk_score else 0


def _attenuation_bucket(attenuation_db: int) -> int:
    edges = enumerate(_ATTENUATION_ABOVE_DB)
    return next((bucket for bucket, edge in edges if attenuation_db > edge), _LAST_BUCKET)


def _days_bucket(days: int) -> int:
    edges = enumerate(_DAYS_AT_LEAST)
    return next((bucket for bucket, edge in edges if days >= edge), _LAST_BUCKET)


def _duration_bucket(duration: timedelta) -> int:
    edges = enumerate(_MINUTES_AT_MOST)
    return next(
        (bucket for bucket, edge in edges if duration <= timedelta(minutes=edge)), _LAST_BUCKET
    )


def _transmission_score(configuration: ExposureConfiguration, level: int) -> int:
    if level == 0:
        return _SCORE_OF_UNKNOWN_LEVEL
    return configuration.transmission_risk_bucket_scores[level - 1]
