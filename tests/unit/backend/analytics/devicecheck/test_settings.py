"""Waits that let two authorisations miss each other are refused, and half a key."""

from datetime import timedelta
from pathlib import Path

import pytest

from immuni.backend.analytics.devicecheck.settings import DeviceCheckSettings
from immuni.settings import SettingsError, Source, read_settings


def read(**values: str) -> DeviceCheckSettings:
    return read_settings(DeviceCheckSettings, Source(values, dict.fromkeys(values, "a file")))


def test_nothing_is_authorised_where_nothing_is_set() -> None:
    settings = read()
    assert not settings.is_configured
    assert settings.check_time == timedelta(seconds=13)


def test_a_mark_has_to_stand_until_everybody_who_looked_before_has_written() -> None:
    least = read(max_read_time="2s", device_check_timeout="4s", check_time="10s")
    assert least.check_time == timedelta(seconds=10)
    with pytest.raises(SettingsError, match=r"check_time: 9\.99s is less than .* 10s"):
        read(max_read_time="2s", device_check_timeout="4s", check_time="9990ms")


def test_a_key_needs_its_ids() -> None:
    whole = {
        "device_check_key_file": "/key.p8",
        "device_check_key_id": "KEY",
        "device_check_team_id": "TEAM",
    }
    assert read(**whole).device_check_key_file == Path("/key.p8")
    assert read(**whole).is_configured
    for name in whole:
        with pytest.raises(SettingsError, match="want all of them or none"):
            read(**{other: value for other, value in whole.items() if other != name})


@pytest.mark.parametrize("url", ["http://apple.example", "https://apple.example/v1", "ftp://a"])
def test_nobody_is_asked_in_the_clear_but_on_this_machine(url: str) -> None:
    with pytest.raises(SettingsError, match="device_check_url"):
        read(device_check_url=url)
    here = "http://127.0.0.1:8410"
    assert read(device_check_url=here).device_check_url == here


def test_an_authorisation_takes_minutes_at_most() -> None:
    assert timedelta(minutes=3) < read().waits.longest < timedelta(minutes=6)
