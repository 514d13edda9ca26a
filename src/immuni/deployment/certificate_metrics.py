"""When the certificates end that are in use: an alert watches it."""

from collections.abc import Callable
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge


class CertificateMetrics:
    """Tells the end of each certificate that a process shows to others."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register in `registry`."""
        self._end = Gauge(
            "immuni_certificate_end_seconds",
            "When the certificate in use ends, in seconds since the Unix epoch.",
            ("certificate",),
            registry=registry,
            # A process that has ended would otherwise tell of its old certificate for ever.
            multiprocess_mode="mostrecent",
        )

    def watch(self, certificate: str) -> Callable[[datetime], None]:
        """Return what is to be told each time that `certificate` was loaded."""
        end = self._end.labels(certificate)
        return lambda ends_at: end.set(ends_at.timestamp())
