"""The Configuration Settings: defaults, ranges, and the signature over them."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import (
    ConfigurationSettings,
    Platform,
    SettingsRefusedError,
    SettingsStamp,
    read_settings,
    settings_faults,
    verify_settings,
)
from immuni.api.headers import SETTINGS_ISSUED_AT, SETTINGS_SIGNATURE, SETTINGS_VERSION

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
BODY = b'{"minimum_build_version":3}'
KEY = ec.derive_private_key(12345, ec.SECP256R1())
KEYS = {"settings-1": KEY.public_key()}


def stamp(*, version: int = 3, issued_at: datetime = NOON) -> SettingsStamp:
    return SettingsStamp.of(
        BODY, platform=Platform.IOS, build=7, version=version, issued_at=issued_at
    )


def signed(of: SettingsStamp) -> dict[str, str]:
    return of.headers("settings-1", KEY.sign(of.signed_bytes(), ec.ECDSA(SHA256())))


def test_the_defaults_are_those_of_the_specification() -> None:
    defaults = ConfigurationSettings()

    assert defaults.exposure_detection_period == 14_400
    assert defaults.exposure_info_minimum_risk_score == 20
    assert defaults.operational_info_without_exposure_sampling_rate == 0.6
    assert defaults.dummy_teks_request_probabilities == (0.95, 0.1)
    assert defaults.teks_packet_size == 110_000
    assert defaults.exposure_configuration.attenuation_bucket_scores == (0, 0, 5, 5, 5, 5, 5, 5)
    assert defaults.support_email is None


def test_the_defaults_may_be_published() -> None:
    values = json.loads(msgspec.json.encode(ConfigurationSettings()))

    assert settings_faults(values) == []
    assert read_settings(values).settings == ConfigurationSettings()


WRONG: dict[str, list[Any]] = {
    "minimum_build_version": [0, 20_001, "5", 1.0, True, None],
    "exposure_detection_period": [0, -1, 1.5],
    "exposure_configuration": [
        {"attenuation_thresholds": [70, 50]},
        {"attenuation_bucket_scores": [1] * 7},
        {"attenuation_bucket_scores": [9] * 8},
        {"misspelt": 1},
        [],
    ],
    "operational_info_with_exposure_sampling_rate": [-0.1, 1.1, "1"],
    "dummy_teks_request_probabilities": [[], [2.0], 0.5],
    "dummy_teks_average_start_waiting_time": [0, -5],
    "teks_max_summary_count": [85],
    "teks_max_info_count": [601],
    "teks_packet_size": [0, 300_000],
    "pn_url": [{"it": "javascript:alert(1)"}, {"italiano": "https://example.org/"}, "https://x"],
    "support_phone_opening_time": ["24", "7:60", 7],
    "service_end_date": ["2021-02-29", 5],
    "advice": [{"it": {"dead": "…"}}],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_value_cannot_be_published_and_is_refused_alone(name: str, value: object) -> None:
    values = {name: value, "risk_reminder_notification_period": 5}

    read = read_settings(values)

    assert [fault.name for fault in settings_faults(values)] == [name]
    assert [fault.name for fault in read.refused] == [name]
    assert getattr(read.settings, name) == getattr(ConfigurationSettings(), name)
    assert read.settings.risk_reminder_notification_period == 5


def test_an_unknown_name_is_ignored_by_phones_and_refused_by_servers() -> None:
    assert read_settings({"later": 1}).refused == ()
    assert [fault.name for fault in settings_faults({"later": 1})] == ["later"]


def test_what_is_missing_or_invalid_keeps_the_settings_in_force() -> None:
    in_force = ConfigurationSettings(minimum_build_version=9, service_end_date=date(2021, 12, 31))

    read = read_settings({"minimum_build_version": -1}, fallback=in_force)

    assert read.settings == in_force


@given(
    st.dictionaries(
        st.sampled_from([each.name for each in msgspec.structs.fields(ConfigurationSettings)]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            # The deepest setting has two levels; with larger values fewer settings are drawn.
            max_leaves=10,
        ),
    )
)
def test_whatever_a_server_sends_a_phone_has_settings(values: dict[str, Any]) -> None:
    read = read_settings(values)

    assert settings_faults(json.loads(msgspec.json.encode(read.settings))) == []


def test_the_signed_bytes_are_six_lines() -> None:
    assert stamp().signed_bytes() == (
        b"Immuni settings signature v1\nios\n7\n3\n1592654400\n"
        b"00ab64e15817170281edb3fcf2b8b9fee1c7099f133e084cb270437bde76bac2\n"
    )


def test_a_genuine_answer_is_accepted() -> None:
    verified = verify_settings(BODY, signed(stamp()), KEYS, platform=Platform.IOS, build=7)

    assert verified == stamp()


@pytest.mark.parametrize(
    "forge",
    [
        lambda h: h | {SETTINGS_VERSION: "4"},
        lambda h: h | {SETTINGS_ISSUED_AT: "1592654401"},
        lambda h: h | {SETTINGS_ISSUED_AT: "soon"},
        lambda h: h | {SETTINGS_SIGNATURE: h[SETTINGS_SIGNATURE].replace("-1:", "-2:")},
        lambda h: h | {SETTINGS_SIGNATURE: "settings-1:AAAA"},
        lambda h: h | {SETTINGS_SIGNATURE: "settings-1:A"},
        lambda h: h | {SETTINGS_SIGNATURE: ""},
        lambda h: {SETTINGS_SIGNATURE: h[SETTINGS_SIGNATURE]},
        lambda _: {},
    ],
)
def test_an_answer_with_other_headers_is_refused(
    forge: Callable[[dict[str, str]], dict[str, str]],
) -> None:
    with pytest.raises(SettingsRefusedError):
        verify_settings(BODY, forge(signed(stamp())), KEYS, platform=Platform.IOS, build=7)


@pytest.mark.parametrize(
    ("body", "platform", "build"),
    [
        (BODY + b" ", Platform.IOS, 7),
        (BODY, Platform.ANDROID, 7),
        (BODY, Platform.IOS, 8),
    ],
)
def test_an_answer_for_another_question_is_refused(
    body: bytes, platform: Platform, build: int
) -> None:
    with pytest.raises(SettingsRefusedError):
        verify_settings(body, signed(stamp()), KEYS, platform=platform, build=build)


@pytest.mark.parametrize(
    ("newest", "is_accepted"),
    [
        (stamp(), True),
        (stamp(issued_at=NOON - timedelta(hours=1)), True),
        (stamp(version=2, issued_at=NOON + timedelta(hours=1)), True),
        (stamp(issued_at=NOON + timedelta(seconds=1)), False),
        (stamp(version=4, issued_at=NOON - timedelta(hours=1)), False),
    ],
)
def test_an_answer_older_than_the_one_in_force_is_refused(
    newest: SettingsStamp, *, is_accepted: bool
) -> None:
    def verify() -> SettingsStamp:
        return verify_settings(
            BODY, signed(stamp()), KEYS, platform=Platform.IOS, build=7, newest=newest
        )

    if is_accepted:
        assert verify() == stamp()
        return
    with pytest.raises(SettingsRefusedError, match="older"):
        verify()
