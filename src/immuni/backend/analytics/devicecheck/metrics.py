"""What can be counted of authorisations; nothing of it tells of a single phone."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from immuni.backend.analytics.devicecheck.answers import Answer, Failure, kind_of
from immuni.backend.analytics.devicecheck.steps import WRITES, Outcome, Step


class DeviceCheckMetrics:
    """Counts calls and outcomes, and tells how many authorisations wait."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register in `registry`."""
        self._calls = Counter(
            "immuni_device_check_calls",
            "Calls to Apple's DeviceCheck, by what came of them.",
            ("call", "result"),
            registry=registry,
        )
        self._outcomes = Counter(
            "immuni_device_check_outcomes",
            "Authorisations of analytics tokens that ended, by how.",
            ("outcome",),
            registry=registry,
        )
        self._waiting = Gauge(
            "immuni_device_check_waiting",
            "Authorisations of analytics tokens that run, rounded down to tens.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        for call in ("query", "update"):
            for result in ("answered", *Failure):
                self._calls.labels(call, result)
        for outcome in Outcome:
            self._outcomes.labels(outcome)

    def count_call(self, step: Step, answer: Answer) -> None:
        """Count the call of a step."""
        self._calls.labels("update" if step in WRITES else "query", kind_of(answer)).inc()

    def count_outcome(self, outcome: Outcome) -> None:
        """Count an end."""
        self._outcomes.labels(outcome).inc()

    def tell_waiting(self, count: int) -> None:
        """Tell how many run."""
        self._waiting.set(count - count % 10)
