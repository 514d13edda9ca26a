"""What a page of the dashboard costs, against bare Starlette giving out as many bytes.

One process of the role, over an embedded PostgreSQL with two years of figures of a whole country:
eight autumns, one after the other. One reader asks for one page after the other. Run it with

    .venv/bin/python benchmarks/dashboard.py [--pages N] [--json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx
import psycopg
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.clock import SystemClock
from immuni.deployment.databases import AnalyticsDatabase, prepare_analytics_database
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.ports import free_block
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.serving import Listener, Server
from immuni.deployment.supervisor import READY_LINE
from immuni.entropy import SystemEntropy

# The sample figures lie with the tests, which are no package of the distribution.
sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.figures import sample_figures, write_figures

PATHS: Final = {
    "page of a month that is over": "/months/2020-10",
    "page of the month that runs": "/months/2020-11",
    "table of provinces as CSV": (
        "/v1/figures.csv?subject=active&span=month&breakdown=place&since=2020-10-01"
    ),
}
EARLIER_YEARS: Final = 7
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one answer takes: times of the reader, and processor time of the process."""

    work: str
    answer_bytes: int
    median_ms: float
    slowest_of_100_ms: float
    cpu_ms: float
    ratio: float | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=200, help="so many for each figure")
    parser.add_argument("--json", action="store_true", help="print one object per line")
    parser.add_argument("--bare", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.bare:
        uvloop.run(serve_bytes(arguments.bare))
        return
    for figures in measured(arguments.pages):
        print(json.dumps(asdict(figures)) if arguments.json else line(figures), flush=True)


def measured(pages: int) -> Iterator[Figures]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ports = Ports(free_block(SystemEntropy().below(40_000)))
        postgres = EmbeddedPostgres(folder / "postgres")
        try:
            database = prepare_analytics_database(postgres.start(), folder / "secrets")
            fill(database)
            with dashboard(folder, ports, database) as role, bare(ports.base) as plain:
                for work, path in PATHS.items():
                    found = figures(work, role, ports.of(Role.DASHBOARD), path, pages)
                    plain_path = f"/{found.answer_bytes}"
                    # The kernel counts processor time in hundredths of a second.
                    against = figures("bare", plain, ports.base, plain_path, 20 * pages)
                    ratio = found.cpu_ms / against.cpu_ms
                    yield Figures(**(asdict(found) | {"ratio": ratio}))
        finally:
            postgres.stop()


def fill(database: AnalyticsDatabase) -> None:
    """Write the figures of an autumn, and the same of earlier years."""
    write_figures(database.owner, sample_figures())
    with psycopg.connect(database.owner, autocommit=True) as owner:
        for years in range(1, EARLIER_YEARS + 1):
            for table, columns in (("release", ""), ("figure", ", cell, count")):
                owner.execute(
                    f"INSERT INTO analytics.{table} SELECT subject, span, breakdown,"  # noqa: S608 - of two tables
                    f" (since - make_interval(years => %s))::date{columns}"
                    f" FROM analytics.{table} WHERE since >= '2020-01-01'",
                    [years],
                )
        owner.execute("VACUUM ANALYZE analytics.figure, analytics.release")


@contextmanager
def dashboard(folder: Path, ports: Ports, database: AnalyticsDatabase) -> Iterator[int]:
    """Run the role, as production does."""
    variables = {
        "IMMUNI_DATA_DIR": str(folder),
        "IMMUNI_BASE_PORT": str(ports.base),
        "IMMUNI_DASHBOARD_DATABASE_URL": database.dashboard,
        "IMMUNI_LOG_LEVEL": "error",
    }
    with running([sys.executable, "-m", "immuni", "serve", "dashboard"], variables) as pid:
        yield pid


@contextmanager
def bare(port: int) -> Iterator[int]:
    """Run what gives out bytes and does nothing else."""
    with running([sys.executable, __file__, "--bare", str(port)]) as pid:
        yield pid


async def serve_bytes(port: int) -> None:
    """Answer each path with as many bytes as it says, as a page."""
    pages: dict[int, bytes] = {}

    async def answer(request: Request) -> Response:
        size = int(request.path_params["size"])
        return Response(pages.setdefault(size, bytes(size)), media_type="text/html")

    app = Starlette(routes=[Route("/{size:int}", answer)])
    server = Server(app, Listener(LOOPBACK, port), SystemClock())

    async def tell() -> None:
        sys.stdout.buffer.write(READY_LINE)
        sys.stdout.flush()

    server.on_ready = tell
    await server.serve()


@contextmanager
def running(command: Sequence[str], variables: dict[str, str] | None = None) -> Iterator[int]:
    """Run a server until the block ends, and yield its process id once it answers."""
    with subprocess.Popen(  # noqa: S603 - our own programs
        command, stdout=subprocess.PIPE, env=os.environ | (variables or {})
    ) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise SystemExit(f"{command[-1]} did not come up")
            yield process.pid
        finally:
            process.terminate()


def figures(work: str, pid: int, port: int, path: str, pages: int) -> Figures:
    """Ask for a path again and again, over one connection."""
    with httpx.Client(base_url=f"http://{LOOPBACK}:{port}", trust_env=False) as reader:
        size = len(reader.get(path).raise_for_status().content)
        for _ in range(10):
            reader.get(path)
        before, times = cpu_seconds(pid), []
        for _ in range(pages):
            begun = time.perf_counter()
            reader.get(path)
            times.append(1000 * (time.perf_counter() - begun))
        cpu_ms = 1000 * (cpu_seconds(pid) - before) / pages
    slowest = statistics.quantiles(times, n=100)[-1]
    return Figures(work, size, statistics.median(times), slowest, cpu_ms or 1000 / TICKS, None)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def line(figures: Figures) -> str:
    """Return figures for people."""
    ratio = f"  × {figures.ratio:.0f}" if figures.ratio else ""
    return (
        f"{figures.work:<32}{figures.answer_bytes:9,} bytes  {figures.median_ms:6.1f} ms, "
        f"1 in 100 {figures.slowest_of_100_ms:6.1f} ms  {figures.cpu_ms:.2f} ms CPU{ratio}"
    )


if __name__ == "__main__":
    main()
