"""The stand-in for Play Integrity keeps its keys, and the service believes it."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from immuni.api import GoogleOperationalInfo, attestation_nonce, examples
from immuni.backend.analytics.attestation.android import AndroidAttestation
from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.clock import ManualClock
from immuni.deployment.apple import VirtualDeviceCheck
from immuni.deployment.google import (
    VirtualAttestor,
    attestation_settings,
    ensure_play_integrity_keys,
    play_integrity,
)
from immuni.deployment.layout import Layout
from immuni.entropy import SeededEntropy, SystemEntropy
from immuni.settings import Source, read_all
from immuni.testing.apple import device_of
from immuni.testing.google import PlayIntegrityIssuer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

pytestmark = pytest.mark.anyio


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.prepare()
    ensure_play_integrity_keys(layout, SystemEntropy())
    return layout


async def attested(issuer: PlayIntegrityIssuer) -> GoogleOperationalInfo:
    attestor = VirtualAttestor(issuer, ManualClock(NOON))
    nonce = attestation_nonce(examples.GOOGLE_INFO, examples.GOOGLE_INFO.salt)
    return replace(examples.GOOGLE_INFO, signed_attestation=await attestor.attest(nonce))


def test_the_keys_are_made_once_for_their_owner_only(layout: Layout) -> None:
    before = layout.play_integrity_keys.read_bytes()

    ensure_play_integrity_keys(layout, SystemEntropy())

    assert layout.play_integrity_keys.read_bytes() == before
    assert stat.S_IMODE(layout.play_integrity_keys.stat().st_mode) == 0o600


async def test_what_they_attest_is_believed_and_nothing_under_other_keys(layout: Layout) -> None:
    texts = attestation_settings(layout)
    settings = read_all([AttestationSettings], Source(texts, dict.fromkeys(texts, "the test")))
    service = AndroidAttestation.of(settings[AttestationSettings], CollectorRegistry())
    other = PlayIntegrityIssuer.make(SystemEntropy())

    assert service.vouches_for(await attested(play_integrity(layout)), now=NOON)
    assert not service.vouches_for(await attested(other), now=NOON)


async def test_attestations_have_one_length(layout: Layout) -> None:
    attestor = VirtualAttestor(play_integrity(layout), ManualClock(NOON))

    lengths = {len(await attestor.attest(bytes([number]) * 32)) for number in range(20)}

    assert len(lengths) == 1


async def test_each_token_of_a_virtual_ios_phone_is_another_one_of_the_same_device() -> None:
    device_check = VirtualDeviceCheck("phone-a", SeededEntropy("tokens"))

    tokens = [(await device_check.device_token()).base64() for _ in range(3)]

    assert len(set(tokens)) == 3
    assert {device_of(each) for each in tokens} == {"phone-a"}
