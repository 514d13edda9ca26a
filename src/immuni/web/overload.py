"""Refusing in time: a bounded number of requests is worked on, the rest is told to come again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter

from immuni.web.errors import OverloadedError


class OverloadMetrics:
    """Counts what was refused; a dependency that is away refuses with the same status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the counter in `registry`."""
        self._refused = Counter(
            "immuni_overload_refusals",
            "Requests, dummies too, that were told to come again: too many were worked on.",
            registry=registry,
        )

    def count(self) -> None:
        """Count one."""
        self._refused.inc()


class OverloadLimiter:
    """Counts the requests that are being worked on.

    A request that only waits, for its body or for the moment of its answer, does not count.
    """

    def __init__(
        self,
        *,
        max_working: int = 512,
        retry_after: timedelta = timedelta(seconds=5),
        metrics: OverloadMetrics | None = None,
    ) -> None:
        """Let up to `max_working` requests be worked on at once; tell `metrics` of the refused."""
        self._max_working = max_working
        self._retry_after = retry_after
        self._metrics = metrics
        self._working = 0

    def check(self) -> None:
        """Refuse a request that would be one too many.

        Raises:
            OverloadedError: It would.
        """
        if self._working >= self._max_working:
            if self._metrics is not None:
                self._metrics.count()
            raise OverloadedError("too busy. try again later", retry_after=self._retry_after)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count a request for as long as it is worked on.

        Raises:
            OverloadedError: There are too many already.
        """
        self.check()
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
