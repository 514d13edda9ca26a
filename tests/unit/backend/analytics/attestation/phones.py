"""Attestations of one phone, genuine and spoilt in one place, and a service that is asked."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from immuni.api import GoogleOperationalInfo, attestation_nonce, examples
from immuni.backend.analytics.attestation.android import AndroidAttestation
from immuni.backend.analytics.attestation.rules import Refusal
from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.settings import gather, read_settings
from immuni.testing.google import AndroidApp

NOON: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)
TEN_MINUTES: Final = timedelta(minutes=10)
A_MILLISECOND: Final = timedelta(milliseconds=1)
APP: Final = AndroidApp("it.example.app", bytes(range(32)))
INFO: Final = examples.GOOGLE_INFO
NONCE: Final = attestation_nonce(INFO, INFO.salt)
GENUINE: Final = "genuine"
METRIC: Final = "immuni_android_attestations_total"

Json = dict[str, Any]
Row = tuple[str, Refusal, Callable[[], str]]
"""A rule that is broken, why it is refused, and an attestation that breaks it."""

ANY_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@dataclass
class Service:
    """A service, with what it counts."""

    attestation: AndroidAttestation
    registry: CollectorRegistry

    def result(
        self, token: str, *, info: GoogleOperationalInfo = INFO, now: datetime = NOON
    ) -> str:
        """Return what became of a report with this attestation, by the service's own count."""
        before = self._counts()
        sent = msgspec.structs.replace(info, signed_attestation=token)
        vouched = self.attestation.vouches_for(sent, now=now)
        [counted] = [name for name, count in self._counts().items() if count != before[name]]
        assert vouched == (counted == GENUINE)
        return counted

    def _counts(self) -> dict[str, float]:
        return {
            sample.labels["result"]: sample.value
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == METRIC
        }


def service(**settings: str) -> Service:
    """Return a service for the app, with these settings beside."""
    registry = CollectorRegistry()
    attestation = AndroidAttestation.of(configured(**settings), registry)
    return Service(attestation, registry)


def configured(**settings: str) -> AttestationSettings:
    """Return the settings for the app, with these beside; an empty one is left out."""
    ours = {
        "android_package_name": APP.package_name,
        "android_certificate_digests": APP.certificate_digest.hex(),
    }
    environment = {f"IMMUNI_{name.upper()}": text for name, text in (ours | settings).items()}
    return read_settings(AttestationSettings, gather(environment, None))


def base64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(number: int, change: Callable[[str], str]) -> Callable[[str], str]:
    """Return what changes one segment of a token, counted from 0."""

    def changed(token: str) -> str:
        segments = token.split(".")
        segments[number] = change(segments[number])
        return ".".join(segments)

    return changed


def other_spelling(text: str) -> str:
    """Return a text of base64 that lax decoders take for the same bytes: spare bits are set."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(text) % 4 in {2, 3}, "no spare bits"
    return text[:-1] + digits[digits.index(text[-1]) + 1]
