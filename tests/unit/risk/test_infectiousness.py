"""What the days and report types of keys count as."""

from typing import Any

import pytest

from immuni.keys import ReportType
from immuni.risk import (
    DiagnosisKeysDataMapping,
    Infectiousness,
    InvalidDiagnosisKeysDataMappingError,
)
from tests.unit.risk.windows import INFECTIOUS_DAYS, MAPPING

SETTING: dict[str, Any] = {
    "days_since_onset_to_infectiousness": {
        "-2": "STANDARD", "-1": "HIGH", "0": "HIGH", "14": "STANDARD",
    },
    "infectiousness_when_days_since_onset_missing": "STANDARD",
    "report_type_when_missing": "CONFIRMED_TEST",
}  # fmt: skip


@pytest.mark.parametrize(
    ("days", "infectiousness"),
    [
        (-2, Infectiousness.STANDARD),
        (0, Infectiousness.HIGH),
        (14, Infectiousness.STANDARD),
        (13, Infectiousness.NONE),
        (-14, Infectiousness.NONE),
    ],
)
def test_a_day_is_as_infectious_as_the_map_says_and_else_not(
    days: int, infectiousness: Infectiousness
) -> None:
    assert MAPPING.infectiousness(days) is infectiousness


@pytest.mark.parametrize("days", [None, -15, 15, 2000])
def test_a_day_that_is_missing_or_out_of_the_map_has_the_default(days: int | None) -> None:
    assert MAPPING.infectiousness(days) is Infectiousness.STANDARD


def test_only_an_unknown_report_type_is_replaced() -> None:
    mapping = DiagnosisKeysDataMapping(
        days_since_onset_to_infectiousness={},
        infectiousness_when_days_since_onset_missing=Infectiousness.NONE,
        report_type_when_missing=ReportType.SELF_REPORT,
    )

    counted = [mapping.report_type(published) for published in ReportType]

    assert counted == [ReportType.SELF_REPORT, *list(ReportType)[1:]]


def test_the_mapping_is_read_from_names_and_written_as_it_was() -> None:
    assert DiagnosisKeysDataMapping.parse({**SETTING, "later": 1}) == MAPPING
    assert MAPPING.to_setting() == SETTING


def test_the_report_type_may_be_missing() -> None:
    source = {name: each for name, each in SETTING.items() if name != "report_type_when_missing"}

    assert DiagnosisKeysDataMapping.parse(source) == MAPPING


def test_nobody_else_can_change_the_map() -> None:
    days = dict(INFECTIOUS_DAYS)
    mapping = DiagnosisKeysDataMapping(
        days_since_onset_to_infectiousness=days,
        infectiousness_when_days_since_onset_missing=Infectiousness.STANDARD,
    )

    days[0] = Infectiousness.NONE

    assert mapping.infectiousness(0) is Infectiousness.HIGH


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("days_since_onset_to_infectiousness", {"15": "HIGH"}),
        ("days_since_onset_to_infectiousness", {"-15": "HIGH"}),
        ("days_since_onset_to_infectiousness", {"1.5": "HIGH"}),
        ("days_since_onset_to_infectiousness", {"0": "high"}),
        ("days_since_onset_to_infectiousness", {"0": 2}),
        ("days_since_onset_to_infectiousness", {"0": []}),
        ("days_since_onset_to_infectiousness", ["HIGH"] * 29),
        ("infectiousness_when_days_since_onset_missing", "MEDIUM"),
        ("infectiousness_when_days_since_onset_missing", None),
        ("infectiousness_when_days_since_onset_missing", 1),
        ("report_type_when_missing", "UNKNOWN"),
        ("report_type_when_missing", "RECURSIVE"),
        ("report_type_when_missing", "REVOKED"),
        ("report_type_when_missing", []),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidDiagnosisKeysDataMappingError, match=f"{name} must") as caught:
        DiagnosisKeysDataMapping.parse({**SETTING, name: value})

    assert len(caught.value.faults) == 1


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidDiagnosisKeysDataMappingError) as caught:
        DiagnosisKeysDataMapping.parse({"report_type_when_missing": "REVOKED"})

    assert [fault.split()[0] for fault in caught.value.faults] == [
        "days_since_onset_to_infectiousness",
        "infectiousness_when_days_since_onset_missing",
        "report_type_when_missing",
    ]
