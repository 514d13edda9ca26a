"""From what a published key says of its owner to what the v2 model makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, ClassVar, Final, Self

from immuni.keys import ReportType
from immuni.risk.rules import (
    InvalidRiskConfigurationError,
    Rule,
    Rules,
    faults_of,
    is_whole,
    member_named,
    read_parameters,
)

FURTHEST_DAY: Final = 14
"""The map goes from so many days before the onset of symptoms to so many after it."""
_DAYS: Final = range(-FURTHEST_DAY, FURTHEST_DAY + 1)


class Infectiousness(IntEnum):
    """How infectious the owner of a key was on its day. Values are those of the platforms."""

    NONE = 0
    STANDARD = 1
    HIGH = 2


class InvalidDiagnosisKeysDataMappingError(InvalidRiskConfigurationError):
    """The mapping breaks a rule of the model; none was made.

    Attributes:
        faults: Each fault with its name and the rule.
    """

    setting: ClassVar[str] = "diagnosis_keys_data_mapping"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisKeysDataMapping:
    """What the v2 model makes of what a published key says.

    Attributes:
        days_since_onset_to_infectiousness: Infectiousness on each of the days -14..14, counted from
            the onset of symptoms. A day that is left out is not infectious.
        infectiousness_when_days_since_onset_missing: Of a key that does not tell its distance from
            the onset, or tells one beyond fourteen days.
        report_type_when_missing: What an unknown report type counts as: one of the three that
            somebody can report.

    Raises:
        InvalidDiagnosisKeysDataMappingError: Some values are out of their ranges; names them all.

    Source:
        Google, `DiagnosisKeysDataMapping`; Apple, `infectiousnessForDaysSinceOnsetOfSymptoms`.
    """

    days_since_onset_to_infectiousness: Mapping[int, Infectiousness] = field(hash=False)
    infectiousness_when_days_since_onset_missing: Infectiousness
    report_type_when_missing: ReportType = ReportType.CONFIRMED_TEST

    def __post_init__(self) -> None:
        """Check the ranges, and keep a map that nobody else holds."""
        if faults := faults_of(self, _RULES):
            raise InvalidDiagnosisKeysDataMappingError(faults)
        days = dict(self.days_since_onset_to_infectiousness)
        object.__setattr__(self, "days_since_onset_to_infectiousness", days)

    @classmethod
    def parse(cls, source: Mapping[str, object]) -> Self:
        """Read the mapping from a JSON object, where members stand by their names.

        Args:
            source: Members that the model does not know are ignored; the report type may be
                missing.

        Raises:
            InvalidDiagnosisKeysDataMappingError: Members are missing or wrong; names them all.
        """
        values, faults = read_parameters(source, fields(cls), _RULES)
        if faults:
            raise InvalidDiagnosisKeysDataMappingError(faults)
        return cls(**values)

    def to_setting(self) -> dict[str, Any]:
        """Return the JSON object from which `parse` reads the same mapping."""
        days = self.days_since_onset_to_infectiousness
        return {
            "days_since_onset_to_infectiousness": {
                str(day): days[day].name for day in sorted(days)
            },
            "infectiousness_when_days_since_onset_missing": (
                self.infectiousness_when_days_since_onset_missing.name
            ),
            "report_type_when_missing": self.report_type_when_missing.name,
        }

    def infectiousness(self, days_since_onset: int | None) -> Infectiousness:
        """Return how infectious the owner of a key was.

        Args:
            days_since_onset: Key's day minus onset, or None where unknown.
        """
        if days_since_onset is None or days_since_onset not in _DAYS:
            return self.infectiousness_when_days_since_onset_missing
        return self.days_since_onset_to_infectiousness.get(days_since_onset, Infectiousness.NONE)

    def report_type(self, published: ReportType) -> ReportType:
        """Return what the report type of a key counts as."""
        if published is ReportType.UNKNOWN:
            return self.report_type_when_missing
        return published


def _read_days(value: object) -> object:
    """Turn days, which JSON can only write as text, into numbers, and names into members."""
    if not isinstance(value, Mapping):
        return value
    return {_WRITTEN.get(day, day): _read_infectiousness(each) for day, each in value.items()}


def _are_days(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        is_whole(day, -FURTHEST_DAY, FURTHEST_DAY) and isinstance(each, Infectiousness)
        for day, each in value.items()
    )


_WRITTEN: Final = {str(day): day for day in _DAYS}
_read_infectiousness: Final = member_named(Infectiousness)
_REPORTED: Final = (
    ReportType.CONFIRMED_TEST,
    ReportType.CONFIRMED_CLINICAL_DIAGNOSIS,
    ReportType.SELF_REPORT,
)
_RULES: Final[Rules] = {
    "days_since_onset_to_infectiousness": Rule(
        _are_days, "must give days in -14..14 NONE, STANDARD or HIGH", _read_days
    ),
    "infectiousness_when_days_since_onset_missing": Rule(
        lambda value: isinstance(value, Infectiousness),
        "must be NONE, STANDARD or HIGH",
        _read_infectiousness,
    ),
    "report_type_when_missing": Rule(
        lambda value: isinstance(value, ReportType) and value in _REPORTED,
        "must be CONFIRMED_TEST, CONFIRMED_CLINICAL_DIAGNOSIS or SELF_REPORT",
        member_named(ReportType),
    ),
}
