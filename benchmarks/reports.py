"""How many reports of Operational Info the analytics role takes in a second, for good.

One process of the role beside an embedded PostgreSQL that syncs as in production, 64 connections,
answers after 10 ms. Each report comes from an iOS phone with a token of its own; in the same run
the role answers dummies of the same size, which it does not look at. The load is that of
`intake.py`. Run it with

    .venv/bin/python benchmarks/reports.py [--count N] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psycopg

from immuni.api.headers import AUTHORIZATION, DUMMY_DATA
from immuni.backend.analytics.rules import first_of_month
from immuni.backend.analytics.store import token_hash
from immuni.clock import SystemClock
from immuni.deployment.databases import AnalyticsDatabase, prepare_analytics_database
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.ports import free_block
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.entropy import SystemEntropy

LOAD: Final = Path(__file__).with_name("intake.py")
AT_ONCE: Final = 64
PATH: Final = "/v1/analytics/apple/operational-info"
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one kind of request takes; `ratio` is against a dummy."""

    work: str
    requests: int
    per_second: float
    cpu_ms: float
    p99_ms: float
    ratio: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="requests of each kind")
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    for figures in measured(arguments.count):
        print(json.dumps(asdict(figures)) if arguments.json else line(figures), flush=True)


def measured(count: int) -> Iterator[Figures]:
    """Measure dummies, then reports, of which every one has to be kept."""
    tokens = [f"{number:0128x}" for number in range(count)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres")
        try:
            database = prepare_analytics_database(postgres.start(), folder / "secrets")
            authorise(database.owner, tokens)
            with role(folder, database) as (server, port):
                dummies = measure(server, port, [packet(tokens[0], dummy=True)] * count, folder)
                yield figures_of("dummies", dummies, 1.0)
                told = measure(server, port, [packet(each, dummy=False) for each in tokens], folder)
                yield figures_of("durable reports", told, told["cpu"] / dummies["cpu"])
            if (kept := reports_in(database.owner)) != count:
                raise SystemExit(f"kept {kept} of {count}")
        finally:
            postgres.stop()


@contextmanager
def role(
    folder: Path, database: AnalyticsDatabase
) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Run the role until the block ends; it tells in a line when it answers."""
    base_port = free_block(SystemEntropy().below(40_000))
    variables = {
        "IMMUNI_DATA_DIR": str(folder),
        "IMMUNI_BASE_PORT": str(base_port),
        "IMMUNI_ANALYTICS_DATABASE_URL": database.analytics,
        "IMMUNI_RESPONSE_FLOOR": "10ms",
        "IMMUNI_RESPONSE_MEAN": "1ms",
        "IMMUNI_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "immuni", "serve", "analytics"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True, env=os.environ | variables
    ) as server:
        try:
            if server.stdout is None or not server.stdout.readline():
                raise SystemExit("the role did not come up")
            yield server, Ports(base_port).of(Role.ANALYTICS)
        finally:
            server.terminate()


def measure(
    server: "subprocess.Popen[str]", port: int, packets: Sequence[bytes], folder: Path
) -> dict[str, float]:
    """Send packets as fast as they are answered, and look at the server's processor time."""
    file = folder / "packets"
    file.write_bytes(b"".join(len(each).to_bytes(4, "big") + each for each in packets))
    before = cpu_seconds(server.pid)
    command = [sys.executable, str(LOAD), "--send", str(port), str(file), str(AT_ONCE), "0"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own program
    seen: dict[str, float] = json.loads(told.stdout)
    return seen | {"cpu": (cpu_seconds(server.pid) - before) / len(packets)}


def packet(token: str, *, dummy: bool) -> bytes:
    """Return a report on a connection that is kept."""
    info = {
        "province": "RM",
        "exposure_permission": 1,
        "bluetooth_active": 1,
        "notification_permission": 1,
        "exposure_notification": 0,
        "last_risky_exposure_on": "2020-01-01",
        "build": 7,
    }
    body = json.dumps(info).encode("ascii")
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {LOOPBACK}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{DUMMY_DATA}: {int(dummy)}\r\n"
        f"{AUTHORIZATION}: Bearer {token}\r\n\r\n"
    )
    return head.encode("ascii") + body


def authorise(owner: str, tokens: Sequence[str]) -> None:
    """Authorise tokens, behind the service's back."""
    month = first_of_month(SystemClock().now().date())
    with psycopg.connect(owner) as connection, connection.cursor() as cursor:
        statement = "COPY analytics.token (token_hash, month) FROM STDIN"
        with cursor.copy(statement) as copy:
            for token in tokens:
                copy.write_row((token_hash(token), month))


def reports_in(owner: str) -> int:
    """Return how many reports are kept."""
    with psycopg.connect(owner) as connection:
        row = connection.execute("SELECT count(*) FROM analytics.operational_info").fetchone()
    return int(row[0]) if row else 0


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def figures_of(work: str, told: dict[str, float], ratio: float) -> Figures:
    """Put what was measured into words."""
    return Figures(
        work=work,
        requests=int(told["count"]),
        per_second=told["count"] / told["seconds"],
        cpu_ms=1000 * told["cpu"],
        p99_ms=1000 * told["p99"],
        ratio=ratio,
    )


def line(figures: Figures) -> str:
    """Return figures for people."""
    return (
        f"{figures.work:<20}{figures.requests:8,}  {figures.per_second:7,.0f}/s  "
        f"{figures.cpu_ms:.3f} ms CPU  p99 {figures.p99_ms:6.1f} ms  × {figures.ratio:.2f}"
    )


if __name__ == "__main__":
    main()
