"""What ties an attestation to its report."""

import base64
from datetime import date, timedelta

import msgspec
import pytest

from immuni.api import AppleOperationalInfo, Salt, attestation_nonce

INFO = AppleOperationalInfo(
    province="CH",
    exposure_permission=1,
    bluetooth_active=1,
    notification_permission=1,
    exposure_notification=1,
    last_risky_exposure_on=date(2020, 6, 9),
)
SALT = Salt.parse("I2zF1+fgk4/uVHYe7DRt3A==")


def test_the_nonce_is_that_of_the_specification() -> None:
    nonce = attestation_nonce(INFO, SALT)

    assert base64.b64encode(nonce) == b"2opZ23BpSheHRrRgZDS49w0CRKjoNlRnY38t8nY6BcU="


@pytest.mark.parametrize(
    "change",
    [
        {"province": "RM"},
        {"exposure_permission": 0},
        {"bluetooth_active": 0},
        {"notification_permission": 0},
        {"exposure_notification": 0},
        {"last_risky_exposure_on": INFO.last_risky_exposure_on + timedelta(days=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_member_that_is_counted_changes_the_nonce(change: dict[str, object]) -> None:
    changed = msgspec.structs.replace(INFO, **change)

    assert attestation_nonce(changed, SALT) != attestation_nonce(INFO, SALT)


def test_each_salt_has_a_nonce_of_its_own() -> None:
    assert attestation_nonce(INFO, Salt(bytes(16))) != attestation_nonce(INFO, SALT)
