"""What is told before settings are published that do much to phones."""

import pytest

from immuni.api import Platform
from immuni.backend.configuration.dangers import dangers, new_dangers
from immuni.backend.configuration.rules import SettingEntry


def entry(name: str, value: object, *, build: int = 1) -> SettingEntry:
    return SettingEntry(Platform.IOS, name, build, value)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("service_end_date", "2026-12-31", "the service ends on 2026-12-31"),
        ("minimum_build_version", 7, "builds below 7 detect no more"),
        ("exposure_configuration", {"attenuation_bucket_scores": [0] * 8}, "nobody is warned"),
        ("exposure_configuration", {"minimum_risk_score": 26}, "nobody is warned"),
        ("exposure_info_minimum_risk_score", 26, "nobody is warned"),
        ("exposure_detection_period", 86_401, "less than once a day"),
        ("operational_info_without_exposure_sampling_rate", 1, "every phone sends"),
        ("dummy_teks_request_probabilities", [0], "no dummy uploads"),
    ],
)
def test_a_danger_is_told(name: str, value: object, told: str) -> None:
    (danger,) = dangers([entry(name, value, build=5)])

    assert danger.startswith("ios from build 5: ")
    assert told in danger


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exposure_info_minimum_risk_score", 25),
        ("exposure_detection_period", 86_400),
        ("operational_info_with_exposure_sampling_rate", 1),
        ("service_end_date", None),
    ],
)
def test_what_is_no_danger_is_not_told(name: str, value: object) -> None:
    assert dangers([entry(name, value)]) == []


def test_a_danger_of_two_settings_together_is_told_from_the_build_that_has_both() -> None:
    entries = [
        entry("exposure_configuration", {"attenuation_bucket_scores": [1] * 8}),
        entry("exposure_info_minimum_risk_score", 5),
        entry("exposure_info_minimum_risk_score", 6, build=9),
    ]

    (danger,) = dangers(entries)

    assert danger.startswith("ios from build 9: ")


def test_a_danger_that_is_in_force_is_not_told_again() -> None:
    ends = entry("service_end_date", "2026-12-31")

    assert new_dangers([ends], [ends, entry("support_phone", "1500")]) == []
    assert len(new_dangers([ends], [entry("service_end_date", "2027-01-01")])) == 1
