"""Attestations of Play Integrity, genuine and spoilt in one place."""

from copy import deepcopy

from immuni.entropy import SystemEntropy
from immuni.testing.google import PlayIntegrityIssuer
from tests.unit.backend.analytics.attestation.phones import APP, NONCE, NOON, Json

ISSUER = PlayIntegrityIssuer.make(SystemEntropy())
OTHER = PlayIntegrityIssuer.make(SystemEntropy())
VERDICT = ISSUER.verdict(NONCE, APP, NOON)
REMOVED = object()


def genuine() -> str:
    return ISSUER.issue(NONCE, APP, NOON)


def changed(path: str, value: object) -> Json:
    """Return a genuine verdict with another value, or none, at a path like ``appIntegrity.x``."""
    verdict = deepcopy(VERDICT)
    *parents, name = path.split(".")
    place = verdict
    for parent in parents:
        place = place[parent]
    if value is REMOVED:
        del place[name]
    else:
        place[name] = value
    return verdict
