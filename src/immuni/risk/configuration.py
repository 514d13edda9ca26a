"""The parameters of the v1 risk model."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final, Self

from immuni.risk.rules import (
    InvalidRiskConfigurationError,
    Rule,
    Rules,
    are_thresholds,
    are_whole,
    faults_of,
    is_number,
    is_whole,
    read_parameters,
)

BUCKETS: Final = 8
MAX_BUCKET_SCORE: Final = 8
MAX_TOTAL_RISK_SCORE: Final = MAX_BUCKET_SCORE**4
_MAX_WEIGHT: Final = 100


class InvalidExposureConfigurationError(InvalidRiskConfigurationError):
    """The parameters break a rule of the model; no configuration was made.

    Attributes:
        faults: Each fault with its name and the rule.
    """

    setting: ClassVar[str] = "exposure_configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureConfiguration:
    """The parameters of the v1 risk model.

    Attributes:
        attenuation_thresholds: Two ascending limits, in dB, between three ranges of attenuation.
        attenuation_bucket_scores: Scores 0..8 of > 73, > 63, > 51, > 33, > 27, > 15, > 10 and
            <= 10 dB.
        days_since_last_exposure_bucket_scores: Of >= 14, 12, 10, 8, 6, 4, 2 and 0 days.
        duration_bucket_scores: Of 0, <= 5, 10, 15, 20, 25, 30 and > 30 minutes.
        transmission_risk_bucket_scores: Of the levels 1 to 8.
        minimum_risk_score: An exposure that scores less, scores 0.
        attenuation_weight: Accepted and unused, as on the platforms: the scores do the weighting.
        days_since_last_exposure_weight: Likewise.
        duration_weight: Likewise.
        transmission_risk_weight: Likewise.

    Raises:
        InvalidExposureConfigurationError: Some values are out of their ranges; names them all.
    """

    attenuation_thresholds: tuple[int, ...]
    attenuation_bucket_scores: tuple[int, ...]
    days_since_last_exposure_bucket_scores: tuple[int, ...]
    duration_bucket_scores: tuple[int, ...]
    transmission_risk_bucket_scores: tuple[int, ...]
    minimum_risk_score: int
    attenuation_weight: float = 1
    days_since_last_exposure_weight: float = 1
    duration_weight: float = 1
    transmission_risk_weight: float = 1

    def __post_init__(self) -> None:
        """Check the ranges."""
        if faults := faults_of(self, _RULES):
            raise InvalidExposureConfigurationError(faults)

    @classmethod
    def parse(cls, source: Mapping[str, object]) -> Self:
        """Read the setting `exposure_configuration`.

        Args:
            source: The JSON object. Members that the model does not know are ignored; weights may
                be missing.

        Raises:
            InvalidExposureConfigurationError: Members are missing or wrong; names them all.
        """
        values, faults = read_parameters(source, fields(cls), _RULES)
        if faults:
            raise InvalidExposureConfigurationError(faults)
        return cls(**values)

    def to_setting(self) -> dict[str, Any]:
        """Return the JSON object from which `parse` reads the same configuration."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def _are_bucket_scores(value: object) -> bool:
    return are_whole(value, BUCKETS, MAX_BUCKET_SCORE)


_THRESHOLDS: Final = Rule(
    lambda value: are_thresholds(value, 2), "must be two ascending whole numbers in 0..255"
)
_SCORES: Final = Rule(_are_bucket_scores, "must be eight whole numbers in 0..8")
_SCORE: Final = Rule(
    lambda value: is_whole(value, 0, MAX_TOTAL_RISK_SCORE), "must be a whole number in 0..4096"
)
_WEIGHT: Final = Rule(lambda value: is_number(value, _MAX_WEIGHT), "must be a number in 0..100")
_RULES: Final[Rules] = {
    "attenuation_thresholds": _THRESHOLDS,
    "attenuation_bucket_scores": _SCORES,
    "days_since_last_exposure_bucket_scores": _SCORES,
    "duration_bucket_scores": _SCORES,
    "transmission_risk_bucket_scores": _SCORES,
    "minimum_risk_score": _SCORE,
    "attenuation_weight": _WEIGHT,
    "days_since_last_exposure_weight": _WEIGHT,
    "duration_weight": _WEIGHT,
    "transmission_risk_weight": _WEIGHT,
}

IMMUNI_DEFAULT: Final = ExposureConfiguration(
    attenuation_thresholds=(50, 70),
    attenuation_bucket_scores=(0, 0, 5, 5, 5, 5, 5, 5),
    days_since_last_exposure_bucket_scores=(1,) * BUCKETS,
    duration_bucket_scores=(0, 0, 0, 0, 5, 5, 5, 5),
    transmission_risk_bucket_scores=(1,) * BUCKETS,
    minimum_risk_score=1,
)
"""At most 63 dB for more than 15 minutes scores 25, all else 0."""
