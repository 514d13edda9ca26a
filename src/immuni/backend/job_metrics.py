"""What the periodic jobs tell of themselves."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from psycopg import OperationalError

from immuni.backend.chunks import ChunkStoreError
from immuni.backend.errors import UnavailableError
from immuni.backend.publishing.recovery import ForeignChunkError
from immuni.backend.publishing.rules import EmbargoError
from immuni.backend.signing import SigningFailedError, SigningKeyError
from immuni.database import DatabaseError


class Cause(StrEnum):
    """What was in the way of a run."""

    DATABASE = "database"
    CHUNK_STORE = "chunk_store"
    FOREIGN_CHUNK = "foreign_chunk"
    SIGNER = "signer"
    EMBARGO = "embargo"
    OTHER = "other"


_CAUSES: Final[Mapping[type[Exception], Cause]] = {
    OperationalError: Cause.DATABASE,
    DatabaseError: Cause.DATABASE,
    UnavailableError: Cause.DATABASE,
    ChunkStoreError: Cause.CHUNK_STORE,
    ForeignChunkError: Cause.FOREIGN_CHUNK,
    SigningFailedError: Cause.SIGNER,
    SigningKeyError: Cause.SIGNER,
    EmbargoError: Cause.EMBARGO,
}


def cause_of(error: Exception) -> Cause:
    """Return the cause of a failed run, for a label: the log has the error's own kind."""
    return next((_CAUSES[kind] for kind in type(error).__mro__ if kind in _CAUSES), Cause.OTHER)


class JobMetrics:
    """Counts runs and causes, and keeps the time of the last good one: alerts watch them.

    The label of a job is its `name`: Prometheus calls what it reads from a ``job`` itself, and
    would put our label out of the way.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register in `registry`."""
        self._runs = Counter(
            "immuni_job_runs", "Runs of periodic jobs.", ("name", "result"), registry=registry
        )
        self._failures = Counter(
            "immuni_job_failures",
            "Runs of periodic jobs that failed, by what was in the way.",
            ("name", "cause"),
            registry=registry,
        )
        self._last_success = Gauge(
            "immuni_job_last_success_seconds",
            "When a job last ended well, in seconds since the Unix epoch.",
            ("name",),
            registry=registry,
            multiprocess_mode="max",
        )

    def expect(self, job: str) -> None:
        """Begin all counts of a job at nought: of the first failure a rate could not be taken."""
        for result in ("success", "failure"):
            self._runs.labels(job, result)
        for cause in Cause:
            self._failures.labels(job, cause)

    def count_success(self, job: str, now: datetime) -> None:
        """Count one run that has ended well."""
        self._runs.labels(job, "success").inc()
        self._last_success.labels(job).set(now.timestamp())

    def count_failure(self, job: str, error: Exception) -> None:
        """Count one run that an error has ended."""
        self._runs.labels(job, "failure").inc()
        self._failures.labels(job, cause_of(error)).inc()
