"""The parameters with which the v2 model makes summaries of days."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any, ClassVar, Final, Self

from immuni.keys import ReportType
from immuni.risk.infectiousness import Infectiousness
from immuni.risk.rules import (
    InvalidRiskConfigurationError,
    Rule,
    Rules,
    are_thresholds,
    are_weights,
    by_member,
    faults_of,
    is_number,
    is_whole,
    read_parameters,
)

MAX_WEIGHT: Final = 2.5
RANGES: Final = 4
_MAX_DAYS: Final = 2**31 - 1
_WEIGHED: Final = (
    ReportType.CONFIRMED_TEST,
    ReportType.CONFIRMED_CLINICAL_DIAGNOSIS,
    ReportType.SELF_REPORT,
    ReportType.RECURSIVE,
)


class InvalidDailySummariesConfigurationError(InvalidRiskConfigurationError):
    """The parameters break a rule of the model; no configuration was made.

    Attributes:
        faults: Each fault with its name and the rule.
    """

    setting: ClassVar[str] = "daily_summaries_configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummariesConfiguration:
    """The parameters with which the v2 model makes summaries of days. All weights are 0..2.5.

    Attributes:
        attenuation_thresholds_db: Three ascending limits, 0..255, between the four ranges
            immediate, near, medium and other. A limit belongs to the nearer range.
        attenuation_weights: Of the four ranges.
        report_type_weights: By report type; one that is left out weighs nothing. RECURSIVE is
            accepted and unused: such keys make no windows.
        infectiousness_weights: By infectiousness; one that is left out weighs nothing.
        minimum_window_score: A window that scores less is dropped. At least 0.
        days_since_exposure_threshold: Days longer ago are dropped; 0 keeps all.

    Raises:
        InvalidDailySummariesConfigurationError: Some values are out of their ranges; names them
            all.

    Source:
        Google, `DailySummariesConfig`; Apple, `ENExposureConfiguration`, where the weights are
        percentages.
    """

    attenuation_thresholds_db: tuple[int, ...]
    attenuation_weights: tuple[float, ...]
    report_type_weights: Mapping[ReportType, float] = field(hash=False)
    infectiousness_weights: Mapping[Infectiousness, float] = field(hash=False)
    minimum_window_score: float = 0
    days_since_exposure_threshold: int = 0

    def __post_init__(self) -> None:
        """Check the ranges, and keep weights that nobody else holds."""
        if faults := faults_of(self, _RULES):
            raise InvalidDailySummariesConfigurationError(faults)
        for name in ("report_type_weights", "infectiousness_weights"):
            object.__setattr__(self, name, dict(getattr(self, name)))

    @classmethod
    def parse(cls, source: Mapping[str, object]) -> Self:
        """Read the parameters from a JSON object, where weights stand by the names of members.

        Args:
            source: Members that the model does not know are ignored; the last two may be missing.

        Raises:
            InvalidDailySummariesConfigurationError: Members are missing or wrong; names them all.
        """
        values, faults = read_parameters(source, fields(cls), _RULES)
        if faults:
            raise InvalidDailySummariesConfigurationError(faults)
        return cls(**values)

    def to_setting(self) -> dict[str, Any]:
        """Return the JSON object from which `parse` reads the same configuration."""
        return {
            "attenuation_thresholds_db": list(self.attenuation_thresholds_db),
            "attenuation_weights": list(self.attenuation_weights),
            "report_type_weights": {
                each.name: weight for each, weight in self.report_type_weights.items()
            },
            "infectiousness_weights": {
                each.name: weight for each, weight in self.infectiousness_weights.items()
            },
            "minimum_window_score": self.minimum_window_score,
            "days_since_exposure_threshold": self.days_since_exposure_threshold,
        }


def _are_attenuation_weights(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == RANGES
        and all(is_number(weight, MAX_WEIGHT) for weight in value)
    )


_RULES: Final[Rules] = {
    "attenuation_thresholds_db": Rule(
        lambda value: are_thresholds(value, RANGES - 1),
        "must be three ascending whole numbers in 0..255",
    ),
    "attenuation_weights": Rule(_are_attenuation_weights, "must be four numbers in 0..2.5"),
    "report_type_weights": Rule(
        lambda value: are_weights(value, _WEIGHED, MAX_WEIGHT),
        "must give CONFIRMED_TEST, CONFIRMED_CLINICAL_DIAGNOSIS, SELF_REPORT or RECURSIVE numbers "
        "in 0..2.5",
        by_member(ReportType),
    ),
    "infectiousness_weights": Rule(
        lambda value: are_weights(value, tuple(Infectiousness), MAX_WEIGHT),
        "must give NONE, STANDARD or HIGH numbers in 0..2.5",
        by_member(Infectiousness),
    ),
    "minimum_window_score": Rule(
        lambda value: is_number(value, inf) and value != inf, "must be a number of at least 0"
    ),
    "days_since_exposure_threshold": Rule(
        lambda value: is_whole(value, 0, _MAX_DAYS), "must be a whole number of at least 0"
    ),
}
