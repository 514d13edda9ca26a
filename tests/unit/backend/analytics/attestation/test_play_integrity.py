"""Play Integrity: a genuine attestation passes, and none that says otherwise in one place."""

import base64
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
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
    Json,
    Row,
    Service,
    base64url,
    other_spelling,
    service,
)
from tests.unit.backend.analytics.attestation.play_integrity import (
    ISSUER,
    REMOVED,
    changed,
    genuine,
)


def said(rule: str, refusal: Refusal, path: str, value: object) -> Row:
    """Return an attestation whose verdict differs in one value."""
    return rule, refusal, lambda: ISSUER.encrypt(ISSUER.sign(changed(path, value)))


def unsaid(path: str, refusal: Refusal = Refusal.FORM) -> Row:
    """Return an attestation whose verdict lacks a member."""
    return said(f"without {path}", refusal, path, REMOVED)


def at(shift: timedelta) -> str:
    return str(round((NOON + shift).timestamp() * 1000))


TIME, NONCE_AT = "requestDetails.timestampMillis", "requestDetails.nonce"
NAME, DIGESTS = "appIntegrity.packageName", "appIntegrity.certificateSha256Digest"
RECOGNISED = "appIntegrity.appRecognitionVerdict"
DEVICE = "deviceIntegrity.deviceRecognitionVerdict"
DIGEST = base64url(APP.certificate_digest)
ROWS = [
    said("too old", Refusal.TIME, TIME, at(-TEN_MINUTES - A_MILLISECOND)),
    said("too new", Refusal.TIME, TIME, at(TEN_MINUTES + A_MILLISECOND)),
    said("of the epoch", Refusal.TIME, TIME, "0"),
    said("of no time", Refusal.TIME, TIME, 2**63),
    said("before the epoch", Refusal.FORM, TIME, "-1"),
    said("a time in words", Refusal.FORM, TIME, "noon"),
    said("a time in other digits", Refusal.FORM, TIME, "\u0661" * 13),
    said("a time with a line's end", Refusal.FORM, TIME, at(timedelta(0)) + "\n"),
    said("a long time", Refusal.FORM, TIME, "1" * 5000),
    said("a time with a fraction", Refusal.FORM, TIME, 0.5),
    said("no nonce", Refusal.NONCE, NONCE_AT, ""),
    said("another nonce", Refusal.NONCE, NONCE_AT, base64url(bytes(32))),
    said("half a nonce", Refusal.NONCE, NONCE_AT, base64url(NONCE[:15])),
    said("a nonce with two signs of padding", Refusal.FORM, NONCE_AT, base64url(NONCE) + "=="),
    said(
        "another spelling of the nonce",
        Refusal.FORM,
        NONCE_AT,
        other_spelling(base64url(NONCE)),
    ),
    said(
        "a nonce in the other base64",
        Refusal.FORM,
        NONCE_AT,
        base64.b64encode(b"\xff" * 32).decode(),
    ),
    said("another package asked", Refusal.APP, "requestDetails.requestPackageName", "it.other"),
    said("another package looked at", Refusal.APP, NAME, "it.other"),
    said("a package that is null", Refusal.FORM, NAME, None),
    said("another version", Refusal.APP, RECOGNISED, "UNRECOGNIZED_VERSION"),
    said("not looked at", Refusal.APP, RECOGNISED, "UNEVALUATED"),
    said("recognised in small letters", Refusal.APP, RECOGNISED, "play_recognized"),
    said("another certificate", Refusal.APP, DIGESTS, [base64url(bytes(32))]),
    said("another certificate beside ours", Refusal.APP, DIGESTS, [DIGEST, base64url(bytes(32))]),
    said("no certificate", Refusal.APP, DIGESTS, []),
    said("a certificate as a text", Refusal.FORM, DIGESTS, DIGEST),
    said("a digest in hexadecimal", Refusal.APP, DIGESTS, [APP.certificate_digest.hex()]),
    said("no verdict on the device", Refusal.DEVICE, DEVICE, []),
    said("a weaker device", Refusal.DEVICE, DEVICE, ["MEETS_DEVICE_INTEGRITY"]),
    said("a verdict in small letters", Refusal.DEVICE, DEVICE, ["meets_strong_integrity"]),
    said("verdicts as a text", Refusal.FORM, DEVICE, "MEETS_STRONG_INTEGRITY"),
    said("ordered for a test", Refusal.DEVICE, "testingDetails", {"isTestingResponse": True}),
    said("a part that is a list", Refusal.FORM, "appIntegrity", []),
    *map(unsaid, ["requestDetails", "appIntegrity", "deviceIntegrity", TIME, NONCE_AT, RECOGNISED]),
    unsaid("requestDetails.requestPackageName"),
    unsaid(NAME, Refusal.APP),
    unsaid(DIGESTS, Refusal.APP),
    unsaid(DEVICE, Refusal.DEVICE),
]


def test_a_genuine_attestation_vouches_for_its_report(play_integrity: Service) -> None:
    assert play_integrity.result(genuine()) == GENUINE


@pytest.mark.parametrize(
    ("refusal", "token"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_an_attestation_that_says_otherwise_in_one_place_is_refused(
    play_integrity: Service, refusal: Refusal, token: Callable[[], str]
) -> None:
    assert play_integrity.result(token()) == refusal


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (TIME, int(at(timedelta(0)))),
        (NONCE_AT, base64url(NONCE)),
        (NONCE_AT, base64.urlsafe_b64encode(NONCE).decode()),
        (DIGESTS, [base64.urlsafe_b64encode(APP.certificate_digest).decode()]),
        (DEVICE, ["MEETS_STRONG_INTEGRITY"]),
        ("accountDetails", REMOVED),
        ("environmentDetails", {"playProtectVerdict": "NO_ISSUES"}),
    ],
)
def test_what_means_the_same_passes(play_integrity: Service, path: str, value: object) -> None:
    token = ISSUER.encrypt(ISSUER.sign(changed(path, value)))

    assert play_integrity.result(token) == GENUINE


def test_an_attestation_vouches_for_no_other_report(play_integrity: Service) -> None:
    others: list[Json] = [{"province": "MI"}, {"bluetooth_active": 0}, {"salt": Salt(bytes(16))}]
    results = {
        play_integrity.result(genuine(), info=msgspec.structs.replace(INFO, **each))
        for each in others
    }

    assert results == {Refusal.NONCE}


@pytest.mark.parametrize("shift", [-TEN_MINUTES, TEN_MINUTES])
def test_an_attestation_passes_for_ten_minutes_to_either_side(
    play_integrity: Service, shift: timedelta
) -> None:
    beyond = shift + (A_MILLISECOND if shift > timedelta(0) else -A_MILLISECOND)

    assert play_integrity.result(genuine(), now=NOON + shift) == GENUINE
    assert play_integrity.result(genuine(), now=NOON + beyond) == Refusal.TIME


def test_a_weaker_device_passes_where_the_setting_says_so() -> None:
    lenient = service(
        android_attestation="play_integrity",
        play_integrity_keys=ISSUER.keys_setting(),
        play_integrity_device="MEETS_DEVICE_INTEGRITY",
    )

    def result(verdict: str) -> str:
        return lenient.result(ISSUER.encrypt(ISSUER.sign(changed(DEVICE, [verdict]))))

    assert lenient.result(genuine()) == GENUINE
    assert result("MEETS_DEVICE_INTEGRITY") == GENUINE
    assert result("MEETS_BASIC_INTEGRITY") == Refusal.DEVICE


@given(
    path=st.sampled_from(
        [TIME, NONCE_AT, NAME, DIGESTS, RECOGNISED, DEVICE, "requestDetails.requestPackageName"]
    ),
    value=ANY_JSON,
)
def test_no_other_value_of_any_member_passes(
    play_integrity: Service, path: str, value: object
) -> None:
    token = ISSUER.encrypt(ISSUER.sign(changed(path, value)))

    assert play_integrity.result(token) != GENUINE
