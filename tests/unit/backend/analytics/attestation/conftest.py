"""Services that believe one issuer."""

import pytest

from tests.unit.backend.analytics.attestation.phones import Service, service
from tests.unit.backend.analytics.attestation.play_integrity import ISSUER as PLAY_INTEGRITY
from tests.unit.backend.analytics.attestation.safetynet import ISSUER as SAFETYNET


@pytest.fixture(scope="session")
def safetynet(tmp_path_factory: pytest.TempPathFactory) -> Service:
    roots = tmp_path_factory.mktemp("roots") / "roots.pem"
    roots.write_bytes(SAFETYNET.root_pem())
    return service(android_attestation="safetynet", safetynet_trust_roots=str(roots))


@pytest.fixture(scope="session")
def play_integrity() -> Service:
    return service(
        android_attestation="play_integrity", play_integrity_keys=PLAY_INTEGRITY.keys_setting()
    )
