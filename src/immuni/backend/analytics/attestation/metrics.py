"""What the verification of attestations tells of itself."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from immuni.backend.analytics.attestation.rules import Refusal

_GENUINE: Final = "genuine"


class AttestationMetrics:
    """Counts attestations by what became of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the counter in `registry`, with every result at nought."""
        self._results = Counter(
            "immuni_android_attestations",
            "Attestations of Android phones: genuine, or why they were refused.",
            ("result",),
            registry=registry,
        )
        for result in (_GENUINE, *Refusal):
            self._results.labels(result)

    def count(self, refusal: Refusal | None) -> None:
        """Count one; a genuine one where nothing speaks against it."""
        self._results.labels(refusal or _GENUINE).inc()
