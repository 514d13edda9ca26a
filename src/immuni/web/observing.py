"""What is told of each request: one line in the log, and counts. Never who, never what."""

import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from immuni.telemetry import logger

ENDPOINT_KEY: Final = "immuni.endpoint"
"""Where in the scope the matched endpoint's path stands, parameters unfilled."""
_UNMATCHED: Final = "unmatched"
_log = logger("web")


class HttpMetrics:
    """Counters of requests; their labels are paths of the table, methods and statuses."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the counters in `registry`."""
        self._requests = Counter(
            "immuni_http_requests",
            "Requests that were answered.",
            ("endpoint", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "immuni_http_request_seconds",
            "Time from the headers' arrival to the end of the answer.",
            ("endpoint",),
            registry=registry,
        )
        # The look-up of a labelled metric costs more than to count in it.
        self._of: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, *, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        labels = (endpoint, method, status)
        found = self._of.get(labels)
        if found is None:
            counter = self._requests.labels(endpoint, method, str(status))
            found = self._of[labels] = (counter, self._seconds.labels(endpoint))
        counter, histogram = found
        counter.inc()
        histogram.observe(seconds)


class Observer:
    """Writes the canonical line of each request, and counts it."""

    def __init__(self, app: ASGIApp, *, metrics: HttpMetrics) -> None:
        """Observe what passes through to `app`."""
        self._app = app
        self._metrics = metrics
        # Bound once: to bind a logger costs more than to find that nothing is to be written.
        self._log = _log.bind()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and tell of it when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0
        begun = time.perf_counter()

        def sending(message: Message) -> Awaitable[None]:
            nonlocal status
            status = message.get("status", status)
            return send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._tell(scope, status=status, seconds=time.perf_counter() - begun)

    def _tell(self, scope: Scope, *, status: int, seconds: float) -> None:
        endpoint = scope.get(ENDPOINT_KEY, _UNMATCHED)
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self._metrics.count(endpoint=endpoint, method=method, status=status, seconds=seconds)
        self._log.info(
            "request_answered",
            endpoint=endpoint,
            method=method,
            status=status,
            milliseconds=round(seconds * 1000, 1),
        )


def log_fault(error: Exception, *, endpoint: str) -> None:
    """Log that something went wrong that nobody foresaw: what kind, and where in the code.

    Its message and its values are left out: a database's error may quote a row.
    """
    _, _, trace = sys.exc_info()
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    _log.error("request_failed", endpoint=endpoint, kind=type(error).__name__, where=where)


def metrics_app(registry: CollectorRegistry, *, shared_folder: Path | None = None) -> ASGIApp:
    """Return an application that answers every request with the metrics; for an internal port.

    Args:
        registry: Metrics of this process.
        shared_folder: Folder in which the processes of a deployment keep theirs
            (``PROMETHEUS_MULTIPROC_DIR``); all of them are told together then.
    """

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        told = registry
        if shared_folder is not None:
            told = CollectorRegistry()
            MultiProcessCollector(told, path=str(shared_folder))  # type: ignore[no-untyped-call]
        body = generate_latest(told)
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode("ascii")),
            (b"content-length", str(len(body)).encode("ascii")),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
