"""Attestations of SafetyNet, genuine and spoilt in one place."""

from dataclasses import dataclass, field

from immuni.backend.analytics.attestation.rules import Refusal
from immuni.testing.google import SafetyNetIssuer
from tests.unit.backend.analytics.attestation.phones import APP, NONCE, NOON, Json, Row

ISSUER = SafetyNetIssuer.make(NOON)


@dataclass
class Draft:
    """A genuine attestation before it is signed, to be spoilt."""

    verdict: Json = field(default_factory=lambda: ISSUER.verdict(NONCE, APP, NOON))
    header: Json = field(default_factory=ISSUER.header)
    issuer: SafetyNetIssuer = ISSUER

    def token(self) -> str:
        return self.issuer.sign(self.verdict, self.header)


def genuine() -> str:
    return Draft().token()


def said(rule: str, refusal: Refusal, /, **members: object) -> Row:
    """Return a verdict with other members."""
    return rule, refusal, lambda: Draft(verdict=Draft().verdict | members).token()
