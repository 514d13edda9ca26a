"""Which attestations count is a setting; what is missing for it is told, all at once."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.analytics.attestation.android import AndroidAttestation
from immuni.backend.analytics.attestation.rules import MAX_SKEW, Refusal
from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.entropy import SystemEntropy
from immuni.settings import SettingsError, read_settings, settings_of
from immuni.settings.reading import Source
from immuni.testing.google import PlayIntegrityIssuer, SafetyNetIssuer
from tests.unit.backend.analytics.attestation.phones import (
    APP,
    GENUINE,
    NONCE,
    NOON,
    Service,
    configured,
    service,
)

SAFETYNET = SafetyNetIssuer.make(NOON)
PLAY_INTEGRITY = PlayIntegrityIssuer.make(SystemEntropy())
TOKENS = {
    "safetynet": SAFETYNET.issue(NONCE, APP, NOON),
    "play_integrity": PLAY_INTEGRITY.issue(NONCE, APP, NOON),
}


@pytest.fixture
def trusted(tmp_path: Path) -> dict[str, str]:
    """Return what makes a service believe both issuers."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(SAFETYNET.root_pem())
    return {
        "safetynet_trust_roots": str(roots),
        "play_integrity_keys": PLAY_INTEGRITY.keys_setting(),
    }


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        ("none", []),
        ("safetynet", ["safetynet"]),
        ("play_integrity", ["play_integrity"]),
        ("both", ["safetynet", "play_integrity"]),
    ],
)
def test_the_setting_says_which_kinds_count(
    trusted: dict[str, str], kind: str, counted: list[str]
) -> None:
    asked = service(android_attestation=kind, **trusted)

    results = {name: asked.result(token) for name, token in TOKENS.items()}

    assert results == {name: GENUINE if name in counted else Refusal.KIND for name in TOKENS}


def test_where_nothing_is_set_nothing_is_vouched_for() -> None:
    registry = CollectorRegistry()
    nothing = Service(AndroidAttestation.of(AttestationSettings(), registry), registry)

    assert {nothing.result(token) for token in TOKENS.values()} == {Refusal.KIND}


def test_everything_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        service(android_attestation="both", android_package_name="", android_certificate_digests="")

    assert [fault.partition(":")[0] for fault in error.value.faults] == [
        "android_package_name",
        "android_certificate_digests",
        "safetynet_trust_roots",
        "play_integrity_keys",
    ]


@pytest.mark.parametrize("content", [None, b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\n"])
def test_trust_roots_that_cannot_be_read_end_the_start(
    tmp_path: Path, content: bytes | None
) -> None:
    roots = tmp_path / "roots.pem"
    if content is not None:
        roots.write_bytes(content)

    with pytest.raises(SettingsError, match="safetynet_trust_roots"):
        service(android_attestation="safetynet", safetynet_trust_roots=str(roots))


def keys(**halves: str) -> str:
    """Return a pair of keys with another half."""
    decryption, verification = PLAY_INTEGRITY.keys_setting().split(":")
    pair = {"decryption": decryption, "verification": verification} | halves
    return f"{pair['decryption']}:{pair['verification']}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("android_certificate_digests", "00"),
        ("android_certificate_digests", f"{'00' * 32},"),
        ("android_certificate_digests", "0g" * 32),
        ("android_package_name", "app"),
        ("android_package_name", "it..app"),
        ("android_attestation", "any"),
        ("play_integrity_device", "MEETS_BASIC_INTEGRITY"),
        ("play_integrity_keys", "AAAA"),
        pytest.param("play_integrity_keys", keys(decryption="AAAA"), id="a short decryption key"),
        pytest.param("play_integrity_keys", keys(decryption=""), id="no decryption key"),
        pytest.param(
            "play_integrity_keys", keys(verification="AAAA"), id="no such verification key"
        ),
        pytest.param("play_integrity_keys", keys(verification=""), id="no verification key"),
        pytest.param("play_integrity_keys", keys() + ":", id="three keys"),
        pytest.param("play_integrity_keys", keys() + ",", id="a comma too many"),
        pytest.param("play_integrity_keys", ",".join([keys()] * 4), id="four pairs"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        configured(**{name: value})


def test_a_digest_may_be_written_as_the_tools_print_it() -> None:
    digest = APP.certificate_digest
    printed = ":".join(f"{byte:02X}" for byte in digest)

    assert configured(android_certificate_digests=printed).android_certificate_digests == {digest}


def test_settings_are_shown_as_they_are_read_and_keys_are_not(trusted: dict[str, str]) -> None:
    settings = configured(android_attestation="both", **trusted)
    declared = {each.name: each for each in settings_of(AttestationSettings)}
    shown = {name: each.kind.render(getattr(settings, name)) for name, each in declared.items()}

    assert read_settings(AttestationSettings, Source(shown, dict.fromkeys(shown, ""))) == settings
    assert declared["play_integrity_keys"].secret
    for secret in trusted["play_integrity_keys"].split(":"):
        assert secret not in repr(settings)
        assert secret not in repr(settings.play_integrity_keys)


def test_an_attestation_of_a_fast_clock_passes_for_twice_the_skew(
    trusted: dict[str, str],
) -> None:
    ahead = SAFETYNET.issue(NONCE, APP, NOON + MAX_SKEW)
    asked = service(android_attestation="both", **trusted)

    assert asked.result(ahead, now=NOON) == GENUINE
    assert asked.result(ahead, now=NOON + 2 * MAX_SKEW) == GENUINE
    assert asked.result(ahead, now=NOON + 2 * MAX_SKEW + timedelta(seconds=1)) == Refusal.TIME


def test_every_result_is_counted_from_nought() -> None:
    registry = CollectorRegistry()
    AndroidAttestation.of(AttestationSettings(), registry)
    labels = {
        sample.labels["result"]
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }

    assert labels == {GENUINE, *Refusal}
