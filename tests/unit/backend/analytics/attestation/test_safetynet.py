"""SafetyNet: a genuine attestation passes, and none that says otherwise in one place."""

import base64
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from immuni.api import Salt
from immuni.backend.analytics.attestation.rules import Refusal
from tests.unit.backend.analytics.attestation.phones import (
    A_MILLISECOND,
    ANY_JSON,
    APP,
    GENUINE,
    INFO,
    NONCE,
    NOON,
    TEN_MINUTES,
    Row,
    Service,
    base64url,
)
from tests.unit.backend.analytics.attestation.safetynet import ISSUER, Draft, genuine, said


def unsaid(name: str) -> Row:
    """Return a verdict without a member."""

    def token() -> str:
        draft = Draft()
        del draft.verdict[name]
        return draft.token()

    return f"without {name}", Refusal.DEVICE if name == "evaluationType" else Refusal.FORM, token


def at(shift: timedelta) -> int:
    return round((NOON + shift).timestamp() * 1000)


ROWS = [
    said("too old", Refusal.TIME, timestampMs=at(-TEN_MINUTES - A_MILLISECOND)),
    said("too new", Refusal.TIME, timestampMs=at(TEN_MINUTES + A_MILLISECOND)),
    said("of the epoch", Refusal.TIME, timestampMs=0),
    said("of before the epoch", Refusal.TIME, timestampMs=-at(timedelta(0))),
    said("of no time", Refusal.TIME, timestampMs=2**63),
    said("in seconds", Refusal.TIME, timestampMs=at(timedelta(0)) // 1000),
    said("a time as a text", Refusal.FORM, timestampMs=str(at(timedelta(0)))),
    said("a time with a fraction", Refusal.FORM, timestampMs=at(timedelta(0)) + 0.5),
    said("a time that is true", Refusal.FORM, timestampMs=True),
    said("no nonce", Refusal.NONCE, nonce=""),
    said("another nonce", Refusal.NONCE, nonce=base64.b64encode(bytes(32)).decode()),
    said("half a nonce", Refusal.NONCE, nonce=base64.b64encode(NONCE[:15]).decode()),
    said("a nonce without padding", Refusal.FORM, nonce=base64url(NONCE)),
    said("a nonce that is null", Refusal.FORM, nonce=None),
    said("another package", Refusal.APP, apkPackageName="it.example.other"),
    said("a package below ours", Refusal.APP, apkPackageName=APP.package_name + ".test"),
    said("another case", Refusal.APP, apkPackageName=APP.package_name.upper()),
    said(
        "another certificate",
        Refusal.APP,
        apkCertificateDigestSha256=[base64.b64encode(bytes(32)).decode()],
    ),
    said(
        "another certificate beside ours",
        Refusal.APP,
        apkCertificateDigestSha256=[
            base64.b64encode(each).decode() for each in (APP.certificate_digest, bytes(32))
        ],
    ),
    said("no certificate", Refusal.APP, apkCertificateDigestSha256=[]),
    said(
        "a certificate as a text",
        Refusal.FORM,
        apkCertificateDigestSha256=base64.b64encode(APP.certificate_digest).decode(),
    ),
    said("a digest in hexadecimal", Refusal.APP, apkCertificateDigestSha256=[bytes(32).hex()]),
    said("no integrity", Refusal.DEVICE, basicIntegrity=False),
    said("integrity in quotes", Refusal.FORM, basicIntegrity="true"),
    said("integrity as a number", Refusal.FORM, basicIntegrity=1),
    said("another profile", Refusal.DEVICE, ctsProfileMatch=False),
    said("a profile in quotes", Refusal.FORM, ctsProfileMatch="true"),
    said("not by hardware", Refusal.DEVICE, evaluationType="BASIC"),
    said("by something like hardware", Refusal.DEVICE, evaluationType="BASIC,HARDWARE_BACKED_NOT"),
    said("by hardware, in small letters", Refusal.DEVICE, evaluationType="hardware_backed"),
    said("evaluations in a list", Refusal.FORM, evaluationType=["HARDWARE_BACKED"]),
    *[unsaid(name) for name in Draft().verdict if name != "apkDigestSha256"],
]


def test_a_genuine_attestation_vouches_for_its_report(safetynet: Service) -> None:
    assert safetynet.result(genuine()) == GENUINE


@pytest.mark.parametrize(
    ("refusal", "token"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_an_attestation_that_says_otherwise_in_one_place_is_refused(
    safetynet: Service, refusal: Refusal, token: Callable[[], str]
) -> None:
    assert safetynet.result(token()) == refusal


@pytest.mark.parametrize(
    "change",
    [
        {"province": "MI"},
        {"exposure_permission": 0},
        {"bluetooth_active": 0},
        {"notification_permission": 0},
        {"exposure_notification": 0},
        {"last_risky_exposure_on": INFO.last_risky_exposure_on - timedelta(days=1)},
        {"salt": Salt(bytes(16))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_attestation_vouches_for_no_other_report(
    safetynet: Service, change: dict[str, object]
) -> None:
    other = msgspec.structs.replace(INFO, **change)

    assert safetynet.result(genuine(), info=other) == Refusal.NONCE


@pytest.mark.parametrize("shift", [-TEN_MINUTES, TEN_MINUTES])
def test_an_attestation_passes_for_ten_minutes_to_either_side(
    safetynet: Service, shift: timedelta
) -> None:
    beyond = shift + (A_MILLISECOND if shift > timedelta(0) else -A_MILLISECOND)

    assert safetynet.result(genuine(), now=NOON + shift) == GENUINE
    assert safetynet.result(genuine(), now=NOON + beyond) == Refusal.TIME


def test_hardware_may_be_all_that_was_asked(safetynet: Service) -> None:
    verdict = Draft().verdict | {"evaluationType": "HARDWARE_BACKED"}

    assert safetynet.result(ISSUER.sign(verdict)) == GENUINE


@given(name=st.sampled_from(sorted(Draft().verdict.keys() - {"apkDigestSha256"})), value=ANY_JSON)
def test_no_other_value_of_any_member_passes(safetynet: Service, name: str, value: object) -> None:
    assume(value is not True)  # What the two flags say already.

    assert safetynet.result(ISSUER.sign(Draft().verdict | {name: value})) != GENUINE
