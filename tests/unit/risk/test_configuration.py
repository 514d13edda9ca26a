"""The parameters of the model: what is accepted, and what a refusal says."""

import json
from dataclasses import replace
from typing import Any

import pytest

from immuni.risk import (
    IMMUNI_DEFAULT,
    ExposureConfiguration,
    InvalidExposureConfigurationError,
    InvalidRiskConfigurationError,
)

DEFAULT: dict[str, Any] = {
    "attenuation_thresholds": [50, 70],
    "attenuation_bucket_scores": [0, 0, 5, 5, 5, 5, 5, 5],
    "attenuation_weight": 1,
    "days_since_last_exposure_bucket_scores": [1, 1, 1, 1, 1, 1, 1, 1],
    "days_since_last_exposure_weight": 1,
    "duration_bucket_scores": [0, 0, 0, 0, 5, 5, 5, 5],
    "duration_weight": 1,
    "transmission_risk_bucket_scores": [1, 1, 1, 1, 1, 1, 1, 1],
    "transmission_risk_weight": 1,
    "minimum_risk_score": 1,
}


def test_the_setting_with_its_default_is_the_default_configuration() -> None:
    assert ExposureConfiguration.parse(DEFAULT) == IMMUNI_DEFAULT


def test_unknown_members_are_ignored_and_weights_may_be_missing() -> None:
    source = {name: value for name, value in DEFAULT.items() if not name.endswith("_weight")}

    assert ExposureConfiguration.parse({**source, "later": {}}) == IMMUNI_DEFAULT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attenuation_thresholds", [0, 255]),
        ("attenuation_bucket_scores", (8, 8, 8, 8, 0, 0, 0, 0)),
        ("minimum_risk_score", 0),
        ("minimum_risk_score", 4096),
        ("duration_weight", 100),
        ("duration_weight", 0),
        ("duration_weight", 0.5),
    ],
)
def test_the_limits_are_inclusive(name: str, value: object) -> None:
    configuration = ExposureConfiguration.parse({**DEFAULT, name: value})

    assert getattr(configuration, name) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("attenuation_thresholds", [50]),
        ("attenuation_thresholds", [50, 60, 70]),
        ("attenuation_thresholds", [70, 50]),
        ("attenuation_thresholds", [50, 50]),
        ("attenuation_thresholds", [-1, 70]),
        ("attenuation_thresholds", [50, 256]),
        ("attenuation_thresholds", "50,70"),
        ("attenuation_thresholds", None),
        ("attenuation_bucket_scores", [1] * 7),
        ("attenuation_bucket_scores", [1] * 9),
        ("duration_bucket_scores", [9] * 8),
        ("duration_bucket_scores", [-1] * 8),
        ("transmission_risk_bucket_scores", [1.0] * 8),
        ("transmission_risk_bucket_scores", [True] * 8),
        ("days_since_last_exposure_bucket_scores", {}),
        ("minimum_risk_score", 4097),
        ("minimum_risk_score", -1),
        ("minimum_risk_score", "1"),
        ("attenuation_weight", 101),
        ("attenuation_weight", -1),
        ("attenuation_weight", True),
        ("attenuation_weight", float("nan")),
    ],
)
def test_a_value_out_of_its_range_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidExposureConfigurationError, match=f"{name} must be"):
        ExposureConfiguration.parse({**DEFAULT, name: value})


def test_all_faults_are_told_at_once() -> None:
    source = {**DEFAULT, "minimum_risk_score": -1, "duration_bucket_scores": []}
    del source["attenuation_thresholds"]

    with pytest.raises(InvalidExposureConfigurationError) as caught:
        ExposureConfiguration.parse(source)

    assert [fault.split()[0] for fault in caught.value.faults] == [
        "attenuation_thresholds",
        "duration_bucket_scores",
        "minimum_risk_score",
    ]


def test_a_configuration_is_read_as_it_is_written() -> None:
    written = json.loads(json.dumps(IMMUNI_DEFAULT.to_setting()))

    assert written == DEFAULT
    assert ExposureConfiguration.parse(written) == IMMUNI_DEFAULT


def test_a_refusal_names_the_setting() -> None:
    with pytest.raises(InvalidRiskConfigurationError, match=r"^exposure_configuration: minimum"):
        replace(IMMUNI_DEFAULT, minimum_risk_score=-1)
