from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from immuni.api import ConfigurationSettings, Platform, SettingsRefusedError, SettingsStamp
from immuni.app.build import Build, pinned_tls
from immuni.app.server import Answer
from immuni.app.settings import SettingsInForce, accept_settings

NOW = datetime(2020, 6, 8, 12, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
BUILD = Build(
    platform=Platform.ANDROID,
    number=10,
    get_url="http://get.example",
    upload_url="http://upload.example",
    analytics_url="http://analytics.example",
    settings_keys={"settings-1": KEY.public_key()},
    tls=pinned_tls(None),
)
COMPILED_IN = SettingsInForce()


def answer(
    values: Any,  # noqa: ANN401 - also what is no object at all
    *,
    issued_at: datetime = NOW,
    build: int = 10,
    key: ec.EllipticCurvePrivateKey = KEY,
) -> Answer:
    body = msgspec.json.encode(values)
    stamp = SettingsStamp.of(
        body, platform=Platform.ANDROID, build=build, version=1, issued_at=issued_at
    )
    signature = key.sign(stamp.signed_bytes(), ec.ECDSA(SHA256()))
    return Answer(stamp.headers("settings-1", signature), body, NOW)


def accepted(given: Answer, in_force: SettingsInForce = COMPILED_IN) -> SettingsInForce:
    return accept_settings(given, in_force=in_force, build=BUILD)


def test_signed_settings_come_into_force() -> None:
    assert accepted(answer({"teks_packet_size": 50_000})).values.teks_packet_size == 50_000


def test_an_invalid_setting_is_refused_alone() -> None:
    taken = accepted(answer({"teks_packet_size": -1, "minimum_build_version": 7, "unknown": 1}))

    assert taken.values == ConfigurationSettings(minimum_build_version=7)
    assert taken.refused == ("teks_packet_size",)


def test_a_setting_that_was_withdrawn_has_its_default_again() -> None:
    before = accepted(answer({"minimum_build_version": 7}))

    after = accepted(answer({}, issued_at=NOW + timedelta(hours=1)), before)

    assert after.values == ConfigurationSettings()


@pytest.mark.parametrize(
    "forged",
    [
        answer({}, key=ec.generate_private_key(ec.SECP256R1())),
        answer({}, build=11),
        Answer(answer({}).headers, b'{"minimum_build_version":20000}', NOW),
        Answer({}, b"{}", NOW),
        answer([]),
    ],
    ids=["other key", "other build", "other body", "no signature", "no object"],
)
def test_settings_that_are_not_signed_as_they_are_do_not_count(forged: Answer) -> None:
    with pytest.raises(SettingsRefusedError):
        accepted(forged)


def test_settings_older_than_those_in_force_do_not_count() -> None:
    newest = accepted(answer({}, issued_at=NOW))

    with pytest.raises(SettingsRefusedError):
        accepted(answer({}, issued_at=NOW - timedelta(seconds=1)), newest)
