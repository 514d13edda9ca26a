"""The parameters of daily summaries: what is accepted, and what a refusal says."""

from dataclasses import replace
from typing import Any

import pytest

from immuni.keys import ReportType
from immuni.risk import (
    DailySummariesConfiguration,
    Infectiousness,
    InvalidDailySummariesConfigurationError,
)

SETTING: dict[str, Any] = {
    "attenuation_thresholds_db": [55, 70, 80],
    "attenuation_weights": [2.0, 1.0, 0.25, 0],
    "report_type_weights": {"CONFIRMED_TEST": 1.0, "SELF_REPORT": 0.5},
    "infectiousness_weights": {"STANDARD": 0.3, "HIGH": 2.5},
    "minimum_window_score": 1,
    "days_since_exposure_threshold": 10,
}
CONFIGURATION = DailySummariesConfiguration(
    attenuation_thresholds_db=(55, 70, 80),
    attenuation_weights=(2.0, 1.0, 0.25, 0),
    report_type_weights={ReportType.CONFIRMED_TEST: 1.0, ReportType.SELF_REPORT: 0.5},
    infectiousness_weights={Infectiousness.STANDARD: 0.3, Infectiousness.HIGH: 2.5},
    minimum_window_score=1,
    days_since_exposure_threshold=10,
)


def test_the_parameters_are_read_from_names_and_written_as_they_were() -> None:
    assert DailySummariesConfiguration.parse({**SETTING, "later": 1}) == CONFIGURATION
    assert CONFIGURATION.to_setting() == SETTING


def test_the_limits_may_be_missing() -> None:
    source = dict(SETTING)
    del source["minimum_window_score"], source["days_since_exposure_threshold"]

    configuration = DailySummariesConfiguration.parse(source)

    assert configuration.minimum_window_score == 0
    assert configuration.days_since_exposure_threshold == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attenuation_thresholds_db", [0, 1, 255]),
        ("attenuation_weights", [0, 2.5, 0, 2.5]),
        ("report_type_weights", {}),
        ("report_type_weights", {"RECURSIVE": 2.5}),
        ("infectiousness_weights", {"NONE": 0}),
        ("minimum_window_score", 1e9),
    ],
)
def test_the_limits_are_inclusive(name: str, value: object) -> None:
    configuration = DailySummariesConfiguration.parse({**SETTING, name: value})

    assert configuration.to_setting()[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attenuation_thresholds_db", [50, 70]),
        ("attenuation_thresholds_db", [50, 60, 70, 80]),
        ("attenuation_thresholds_db", [50, 50, 70]),
        ("attenuation_thresholds_db", [70, 60, 50]),
        ("attenuation_thresholds_db", [-1, 60, 70]),
        ("attenuation_thresholds_db", [50, 60, 256]),
        ("attenuation_thresholds_db", [50, 60, True]),
        ("attenuation_thresholds_db", [50, 60, 70.5]),
        ("attenuation_thresholds_db", None),
        ("attenuation_weights", [1, 1, 1]),
        ("attenuation_weights", [1, 1, 1, 1, 1]),
        ("attenuation_weights", [1, 1, 1, 2.6]),
        ("attenuation_weights", [1, 1, 1, -0.1]),
        ("attenuation_weights", [1, 1, 1, float("nan")]),
        ("attenuation_weights", [1, 1, 1, "1"]),
        ("attenuation_weights", 1),
        ("report_type_weights", {"REVOKED": 1}),
        ("report_type_weights", {"UNKNOWN": 1}),
        ("report_type_weights", {"confirmed_test": 1}),
        ("report_type_weights", {"CONFIRMED_TEST": 2.6}),
        ("report_type_weights", {"CONFIRMED_TEST": None}),
        ("report_type_weights", [1, 1, 1]),
        ("infectiousness_weights", {"HIGH": -1}),
        ("infectiousness_weights", {"HIGHEST": 1}),
        ("infectiousness_weights", {"HIGH": True}),
        ("minimum_window_score", -1),
        ("minimum_window_score", float("inf")),
        ("minimum_window_score", "0"),
        ("days_since_exposure_threshold", -1),
        ("days_since_exposure_threshold", 1.5),
        ("days_since_exposure_threshold", True),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidDailySummariesConfigurationError, match=f"{name} must") as caught:
        DailySummariesConfiguration.parse({**SETTING, name: value})

    assert len(caught.value.faults) == 1


def test_all_faults_are_told_at_once() -> None:
    source = {**SETTING, "minimum_window_score": -1, "attenuation_weights": []}
    del source["infectiousness_weights"]

    with pytest.raises(InvalidDailySummariesConfigurationError) as caught:
        DailySummariesConfiguration.parse(source)

    assert [fault.split()[0] for fault in caught.value.faults] == [
        "infectiousness_weights",
        "attenuation_weights",
        "minimum_window_score",
    ]


def test_nobody_else_can_change_the_weights() -> None:
    weights = {Infectiousness.HIGH: 1.0}
    configuration = replace(CONFIGURATION, infectiousness_weights=weights)

    weights[Infectiousness.HIGH] = 0

    assert configuration.infectiousness_weights == {Infectiousness.HIGH: 1.0}
