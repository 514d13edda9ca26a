"""The parameters of the v1 risk model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, Self

from immuni.errors import ImmuniError

BUCKETS: Final = 8
MAX_BUCKET_SCORE: Final = 8
MAX_TOTAL_RISK_SCORE: Final = MAX_BUCKET_SCORE**4
_MAX_ATTENUATION_DB: Final = 255
_MAX_WEIGHT: Final = 100


class InvalidExposureConfigurationError(ImmuniError, ValueError):
    """The parameters break a rule of the model; no configuration was made.

    Attributes:
        faults: Each fault with its name and the rule.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("exposure_configuration: " + "; ".join(faults))
        self.faults = tuple(faults)


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
        faults = _faults({field.name: getattr(self, field.name) for field in fields(self)})
        if faults:
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
        values: dict[str, Any] = {}
        faults: list[str] = []
        for field in fields(cls):
            if field.name in source:
                value = source[field.name]
                values[field.name] = tuple(value) if isinstance(value, list) else value
            elif field.default is MISSING:
                faults.append(f"{field.name} is missing")
        faults += _faults(values)
        if faults:
            raise InvalidExposureConfigurationError(faults)
        return cls(**values)


def _faults(values: Mapping[str, object]) -> list[str]:
    return [
        f"{name} {rule}, got {values[name]!r}"
        for name, (holds, rule) in _RULES.items()
        if name in values and not holds(values[name])
    ]


def _is_whole(value: object, most: int) -> bool:
    # In JSON and in Python true is no number, though Python's bool is an int.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _are_bucket_scores(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == BUCKETS
        and all(_is_whole(score, MAX_BUCKET_SCORE) for score in value)
    )


def _are_thresholds(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(_is_whole(limit, _MAX_ATTENUATION_DB) for limit in value)
        and bool(value[0] < value[1])
    )


def _is_weight(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= _MAX_WEIGHT


def _is_score(value: object) -> bool:
    return _is_whole(value, MAX_TOTAL_RISK_SCORE)


_SCORES_RULE: Final = (_are_bucket_scores, "must be eight whole numbers in 0..8")
_WEIGHT_RULE: Final = (_is_weight, "must be a number in 0..100")
_RULES: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "attenuation_thresholds": (_are_thresholds, "must be two ascending whole numbers in 0..255"),
    "attenuation_bucket_scores": _SCORES_RULE,
    "days_since_last_exposure_bucket_scores": _SCORES_RULE,
    "duration_bucket_scores": _SCORES_RULE,
    "transmission_risk_bucket_scores": _SCORES_RULE,
    "minimum_risk_score": (_is_score, "must be a whole number in 0..4096"),
    "attenuation_weight": _WEIGHT_RULE,
    "days_since_last_exposure_weight": _WEIGHT_RULE,
    "duration_weight": _WEIGHT_RULE,
    "transmission_risk_weight": _WEIGHT_RULE,
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
