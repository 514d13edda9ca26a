"""What publishing tells of itself."""

from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

_COARSE: Final = 10
"""Smaller numbers of uploads could tell of single people."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The uploads that a run left.

    Attributes:
        uploads: All of them; those of simulated people wait like real ones.
        overdue: Those of which every key was due, so that none should be left.
    """

    uploads: int
    overdue: int


class PublishingMetrics:
    """Counts what phones can download, and tells what still waits."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register in `registry`; nobody reads the figures where there is none."""
        self._chunks = Counter("immuni_published_chunks", "Chunks published.", registry=registry)
        self._keys = Counter(
            "immuni_published_keys",
            "Keys published, those of simulated people included.",
            registry=registry,
        )
        self._bytes = Counter(
            "immuni_published_bytes",
            "Bytes of the chunks published: what every phone downloads.",
            registry=registry,
        )
        self._waiting = Gauge(
            "immuni_publishing_waiting_uploads",
            "Uploads that a run left, simulated ones included, rounded down to tens.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )
        self._overdue = Gauge(
            "immuni_publishing_overdue_uploads",
            "Those of them of which every key was due, rounded down to tens.",
            registry=registry,
            multiprocess_mode="mostrecent",
        )

    def count(self, *, keys: int, size_bytes: int) -> None:
        """Count one chunk."""
        self._chunks.inc()
        self._keys.inc(keys)
        self._bytes.inc(size_bytes)

    def tell(self, waiting: Waiting) -> None:
        """Tell what a run left."""
        self._waiting.set(waiting.uploads - waiting.uploads % _COARSE)
        self._overdue.set(waiting.overdue - waiting.overdue % _COARSE)
