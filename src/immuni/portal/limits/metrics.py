"""How often limits are reached, without names."""

from prometheus_client import CollectorRegistry, Counter

from immuni.portal.limits.rules import Limit, Warned


class LimitMetrics:
    """Counts codes that were not sent, and warnings."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register in `registry`."""
        self._refused = Counter(
            "immuni_portal_refused",
            "Codes that were not sent, by limit.",
            ("limit",),
            registry=registry,
        )
        self._warnings = Counter(
            "immuni_portal_warnings",
            "Warnings to supervisors, by kind.",
            ("kind",),
            registry=registry,
        )

    def count_refusal(self, limit: Limit) -> None:
        """Count a code that was not sent."""
        self._refused.labels(limit).inc()

    def count_warning(self, kind: Warned) -> None:
        """Count a warning that is new."""
        self._warnings.labels(kind).inc()
