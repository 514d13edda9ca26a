"""When the index last told of everything that is published: an alert watches its age."""

from prometheus_client import CollectorRegistry, Gauge

from immuni.clock import Clock


class IndexMetrics:
    """Keeps the time of the last refresh that left nothing out."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register in `registry`."""
        self._complete = Gauge(
            "immuni_index_complete_seconds",
            "When the chunk index last told of every published chunk, in seconds since the Unix "
            "epoch.",
            registry=registry,
            # A process that has ended would otherwise tell of its last refresh for ever.
            multiprocess_mode="mostrecent",
        )

    def note_complete(self, clock: Clock) -> None:
        """Note that database and store were asked, and all that is published is told of."""
        self._complete.set(clock.now().timestamp())
