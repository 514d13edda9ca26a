"""The Total Risk Score of one exposure, and which factor gives it how much."""

from dataclasses import dataclass
from datetime import timedelta
from math import prod
from typing import Final

from immuni.risk.buckets import Bucket, attenuation_bucket, days_bucket, duration_bucket
from immuni.risk.configuration import ExposureConfiguration

_SCORE_OF_UNKNOWN_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class Factor:
    """One of the four numbers whose product is the score.

    Attributes:
        value: What was measured: dB, days, minutes, or a level.
        bucket: The range into which it falls; None for a transmission risk level, which is its own.
        score: What the configuration gives that bucket, 0..8.
    """

    value: float
    bucket: Bucket | None
    score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureExplanation:
    """How an exposure comes by its score.

    Attributes:
        attenuation: Mean attenuation, in dB.
        days: Whole UTC days since the exposure.
        duration: In minutes.
        transmission_risk: Level of the key, 0..8. Level 0 says nothing, so it does not weigh.
        minimum_risk_score: A product below it scores 0.

    Privacy:
        Names no key, and no time finer than a day.
    """

    attenuation: Factor
    days: Factor
    duration: Factor
    transmission_risk: Factor
    minimum_risk_score: int

    @property
    def factors(self) -> tuple[Factor, Factor, Factor, Factor]:
        """All four."""
        return self.attenuation, self.days, self.duration, self.transmission_risk

    @property
    def product(self) -> int:
        """Of the four scores, 0..4096."""
        return prod(factor.score for factor in self.factors)

    @property
    def total_risk_score(self) -> int:
        """The product, or 0 where it is below the minimum."""
        return self.product if self.product >= self.minimum_risk_score else 0


def explain_exposure(
    configuration: ExposureConfiguration,
    *,
    attenuation_db: int,
    days_since_exposure: int,
    duration: timedelta,
    transmission_risk_level: int,
) -> ExposureExplanation:
    """Return how an exposure comes by its score: this is what scores it, so it is never wrong.

    Args:
        configuration: The parameters of the model.
        attenuation_db: Mean attenuation.
        days_since_exposure: Whole UTC days.
        duration: Rounded to steps of five minutes, not capped.
        transmission_risk_level: 0..8.

    Source:
        Risk model v1, "Total Risk Score".
    """
    closeness = attenuation_bucket(attenuation_db)
    age = days_bucket(days_since_exposure)
    length = duration_bucket(duration)
    return ExposureExplanation(
        attenuation=Factor(
            attenuation_db, closeness, configuration.attenuation_bucket_scores[closeness.index]
        ),
        days=Factor(
            days_since_exposure,
            age,
            configuration.days_since_last_exposure_bucket_scores[age.index],
        ),
        duration=Factor(
            duration / timedelta(minutes=1),
            length,
            configuration.duration_bucket_scores[length.index],
        ),
        transmission_risk=Factor(
            transmission_risk_level,
            None,
            _transmission_score(configuration, transmission_risk_level),
        ),
        minimum_risk_score=configuration.minimum_risk_score,
    )


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
    return explain_exposure(
        configuration,
        attenuation_db=attenuation_db,
        days_since_exposure=days_since_exposure,
        duration=duration,
        transmission_risk_level=transmission_risk_level,
    ).total_risk_score


def _transmission_score(configuration: ExposureConfiguration, level: int) -> int:
    if level == 0:
        return _SCORE_OF_UNKNOWN_LEVEL
    return configuration.transmission_risk_bucket_scores[level - 1]
