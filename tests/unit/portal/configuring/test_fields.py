"""Every setting has words, a form, and a way back from what its form shows."""

import msgspec
import pytest

from immuni.api import ConfigurationSettings, ExposureConfigurationValues, Platform
from immuni.backend.configuration.dangers import dangers
from immuni.backend.configuration.rules import SettingEntry
from immuni.portal.configuring.fields import default_of, may_be_nothing, texts_of, value_typed
from immuni.portal.configuring.showing import danger_said, told
from immuni.portal.configuring.wording import MEMBERS, WORDINGS

NAMES = [each.name for each in msgspec.structs.fields(ConfigurationSettings)]


def test_every_setting_and_every_part_has_words() -> None:
    assert sorted(WORDINGS) == sorted(NAMES)
    assert list(MEMBERS) == [
        each.name for each in msgspec.structs.fields(ExposureConfigurationValues)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_form_shows_is_read_as_the_same_value(name: str) -> None:
    default = default_of(name)
    if default is None:
        assert may_be_nothing(name)
        default = {"active_regions": ["Lazio"], "service_end_date": "2020-12-31"}.get(name, "8:00")

    read = value_typed(name, texts_of(name, default))

    assert (
        msgspec.json.encode(read)
        in (
            msgspec.json.encode(default),
            msgspec.json.encode(msgspec.to_builtins(default)).replace(b".0", b""),
        )
        or read == default
    )


def test_values_are_told_in_units_that_people_use() -> None:
    assert told("exposure_detection_period", 14_400).aside == "4 h"
    assert told("risk_duration", 1_209_600).aside == "14 d"
    assert told("risk_duration", 90).aside == "1 min 30 s"
    assert told("dummy_teks_average_start_waiting_time", 15).aside == ""
    assert told("support_phone", None).text == ""


def test_every_danger_of_the_service_is_said_in_our_words() -> None:
    values = {
        "service_end_date": "2020-12-31",
        "minimum_build_version": 9,
        "exposure_info_minimum_risk_score": 4096,
        "exposure_detection_period": 90_000,
        "operational_info_without_exposure_sampling_rate": 1,
        "dummy_teks_request_probabilities": [0],
    }
    found = dangers([SettingEntry(Platform.IOS, name, 3, value) for name, value in values.items()])

    said = [danger_said(each) for each in found]

    assert len(said) == len(values)
    for each in said:
        assert (each.platform, each.first) == ("iOS", "3")
        assert each.text == f"ios from build 3: {each.message % each.values}"
        assert ("%" in each.message) == bool(each.values)
