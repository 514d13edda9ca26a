"""What the processes, the database, the store and the logs of a running system take."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, LiteralString

import httpx
import psycopg
from prometheus_client.parser import text_string_to_metric_families

from immuni.deployment.databases import relocate
from immuni.deployment.layout import Layout
from immuni.deployment.postgres_cluster import SUPERUSER
from immuni.settings import gather
from tests.processes import processes_naming

_PROC: Final = Path("/proc")
_COUNTED: Final[Mapping[str, LiteralString]] = {
    "codes": "SELECT count(*) FROM ingestion.otp",
    "uploads": "SELECT count(*) FROM ingestion.upload",
    "outbox": "SELECT count(*) FROM ingestion.outbox",
    "chunks": "SELECT count(*) FROM publishing.chunk",
    "keys": "SELECT count(*) FROM publishing.key",
    "queue": "SELECT (SELECT count(*) FROM jobs.procrastinate_jobs)"
    " + (SELECT count(*) FROM jobs.procrastinate_events)"
    " + (SELECT count(*) FROM jobs.procrastinate_periodic_defers)"
    " + (SELECT count(*) FROM jobs.procrastinate_workers)",
}
_CONNECTIONS: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
_AGED: Final = timedelta(days=16)
"""Older than retention and a cache's lifetime."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a system takes at one moment.

    Attributes:
        memory_mb: Memory of its own that each process holds, by role.
        descriptors: Open files and connections of each process, by role.
        connections: Of clients to PostgreSQL.
        rows: Of the tables that people's traffic fills, and of the job queue.
        files: In the chunk store.
    """

    memory_mb: Mapping[str, float]
    descriptors: Mapping[str, int]
    connections: int
    rows: Mapping[str, int]
    files: int


@dataclass(frozen=True, slots=True)
class Logged:
    """What the processes have logged.

    Attributes:
        size_bytes: Of all log files.
        alarms: Lines of warnings and errors, and lines that are none of ours, counted.
    """

    size_bytes: int
    alarms: Counter[str]


@dataclass(frozen=True, slots=True)
class Counted:
    """What the services have counted: answers by status, and answers that were late."""

    statuses: Counter[int]
    overruns: int


@dataclass(frozen=True)
class Watch:
    """Looks at a system from outside, and behind its back.

    Attributes:
        layout: Its data folder.
        metrics_url: Where its figures are.
        pids: Its processes, by role.
    """

    layout: Layout
    metrics_url: str
    pids: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        """Remember the processes: whoever falls comes back with another number."""
        object.__setattr__(self, "pids", self.running())

    def running(self) -> dict[str, int]:
        """Return the number of each process that runs now, by role."""
        commands = processes_naming(self.layout.settings_file)
        words = {pid: command.split() for pid, command in commands.items()}
        return {each[4]: pid for pid, each in words.items() if each[3:4] == ["serve"]}

    def owner_url(self, database: str) -> str:
        """Return the URL of a database for its owner."""
        url = str(gather({}, self.layout.settings_file).values["jobs_database_url"])
        password = (self.layout.postgres / "password").read_text()
        return relocate(url, dbname=database, user=SUPERUSER, password=password)

    def sample(self) -> Sample:
        """Look at everything."""
        with psycopg.connect(self.owner_url("immuni")) as connection:
            rows = {name: _count(connection, query) for name, query in _COUNTED.items()}
            connections = _count(connection, _CONNECTIONS)
        pids = self.running()
        return Sample(
            memory_mb={role: _memory_mb(pid) for role, pid in pids.items()},
            descriptors={
                role: len(list((_PROC / str(pid) / "fd").iterdir())) for role, pid in pids.items()
            },
            connections=connections,
            rows=rows,
            files=len(self.files()),
        )

    def files(self) -> list[str]:
        """Return the names of the files in the chunk store."""
        return [path.name for path in self.layout.chunks.iterdir()]

    def newest_chunk(self) -> int:
        """Return the last number that a chunk was given."""
        with psycopg.connect(self.owner_url("immuni")) as connection:
            return _count(connection, "SELECT newest_index FROM publishing.progress")

    def age_chunks(self, until: int) -> None:
        """Let the chunks up to a number be sixteen days older than they are."""
        with psycopg.connect(self.owner_url("immuni")) as connection:
            connection.execute(
                "UPDATE publishing.chunk SET window_start = window_start - %(aged)s,"
                " window_end = window_end - %(aged)s"
                " WHERE index <= %(until)s AND window_end > now() - %(aged)s + interval '1 day'",
                {"aged": _AGED, "until": until},
            )

    def overdue(self, since: datetime) -> dict[str, int]:
        """Return what a run of retention should have deleted that began at a moment."""
        with psycopg.connect(self.owner_url("immuni")) as connection:
            found = {
                "codes": _count(
                    connection, "SELECT count(*) FROM ingestion.otp WHERE expires_at <= %s", since
                ),
                "chunks": _count(
                    connection,
                    "SELECT count(*) FROM publishing.chunk WHERE window_end <= %s",
                    since - timedelta(days=15),
                ),
                "keys without a chunk": _count(
                    connection,
                    "SELECT count(*) FROM publishing.key WHERE NOT EXISTS"
                    " (SELECT FROM publishing.chunk WHERE index = chunk_index)",
                ),
            }
        return {kind: count for kind, count in found.items() if count}

    def leftovers(self) -> dict[str, int]:
        """Return what is there at the end, when nothing comes any more, and should not be."""
        sample = self.sample()
        found = {
            "outbox rows": sample.rows["outbox"],
            "files without a chunk": sample.files - sample.rows["chunks"],
        }
        return {kind: count for kind, count in found.items() if count}

    def epidemiological(self) -> int:
        """Return how much Epidemiological Info has reached analytics."""
        with psycopg.connect(self.owner_url("immuni_analytics")) as connection:
            return _count(connection, "SELECT count(*) FROM analytics.epidemiological_info")

    def logged(self) -> Logged:
        """Read the logs."""
        files = list(self.layout.logs.iterdir())
        alarms = Counter(alarm for file in files for alarm in _alarms(file))
        return Logged(sum(file.stat().st_size for file in files), alarms)

    def counted(self) -> Counted:
        """Read the figures."""
        text = httpx.get(f"{self.metrics_url}/metrics", trust_env=False, timeout=30).text
        statuses: Counter[int] = Counter()
        overruns = 0.0
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                # Whoever reads the figures is counted too, at the next reading.
                ours = sample.labels.get("method") == "GET" and _is_internal(sample.labels)
                if sample.name == "immuni_http_requests_total" and not ours:
                    statuses[int(sample.labels["status"])] += int(sample.value)
                if sample.name == "immuni_response_overrun_total":
                    overruns += sample.value
        return Counted(statuses, int(overruns))


def _is_internal(labels: Mapping[str, str]) -> bool:
    return labels["endpoint"] == "unmatched" and labels["status"] == "200"


def _count(connection: psycopg.Connection, query: LiteralString, *values: object) -> int:
    row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])


def _memory_mb(pid: int) -> float:
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _alarms(file: Path) -> Iterator[str]:
    for line in file.read_text(errors="replace").splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            yield f"{file.name}: a line that is not JSON"
            continue
        if told["level"] != "info":
            yield f"{file.name}: {told['event']} {told.get('kind', '')}".rstrip()
