"""What a chunk and an index cost the *get* role, against nginx serving the same file.

A chunk of 2 MB lies in the folder of a running role, which answers from memory. nginx serves the
same file from the same folder in the same run; then it stands in front of the role, as
`immuni up --nginx` puts it there, and keeps copies. One process of the role, one worker of nginx.
The load comes from a process of its own, over connections that are kept. Run it with

    .venv/bin/python benchmarks/reporting.py [--seconds N] [--json]
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
import uvloop

from immuni.backend.chunks import ChunkName
from immuni.backend.contract import HttpSettings
from immuni.clock import SystemClock
from immuni.deployment.databases import ServicesDatabase, prepare_services_database
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.layout import Layout
from immuni.deployment.nginx import find_nginx, nginx_part
from immuni.deployment.ports import free_block
from immuni.deployment.provision import ensure_keys
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.entropy import SystemEntropy

CHUNK_BYTES: Final = 2_000_000
AT_ONCE: Final = {"chunk": 8, "index": 64}
TICKS: Final = os.sysconf("SC_CLK_TCK")
PLAIN_NGINX: Final = """
daemon off; master_process off; pid {folder}/plain.pid; error_log stderr emerg; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
    client_body_temp_path {folder}/temporary; proxy_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary; uwsgi_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    server {{ listen {host}:{port}; root {chunks}; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one kind of request takes; a chunk also as a ratio to plain nginx."""

    work: str
    requests: int
    per_second: float
    cpu_ms: float
    ratio: float | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="so long for each figure")
    parser.add_argument("--json", action="store_true", help="print one object per line")
    parser.add_argument("--ask", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.ask:
        port, path, at_once, seconds = arguments.ask
        count = uvloop.run(ask_all(int(port), path, int(at_once), float(seconds)))
        print(json.dumps(count))
        return
    for figures in measured(arguments.seconds):
        print(json.dumps(asdict(figures)) if arguments.json else line(figures), flush=True)


def measured(seconds: float) -> Iterator[Figures]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        layout = Layout(Path(name))
        layout.prepare()
        ports = Ports(free_block(SystemEntropy().below(40_000)))
        ensure_keys(layout, clock=SystemClock())
        postgres = EmbeddedPostgres(layout.postgres)
        stack.callback(postgres.stop)
        database = prepare_services_database(postgres.start(), layout.secrets)
        file = published_chunk(layout, database)
        plain = stack.enter_context(plain_nginx(layout, ports.base + 1))
        role = stack.enter_context(get_role(layout, ports, database))
        front = stack.enter_context(nginx_in_front(layout, ports))
        port = ports.of(Role.GET)

        base = figures("chunk of 2 MB, plain nginx", plain, ports.base + 1, f"/{file}", seconds)
        yield base
        ours = figures("chunk of 2 MB, role get", role, port, "/v1/keys/1", seconds, base)
        yield ours
        yield figures(
            "chunk of 2 MB, nginx in front",
            [*role, *front],
            ports.nginx,
            "/v1/keys/1",
            seconds,
            base,
        )
        yield figures("index, role get", role, port, "/v1/keys/index", seconds)
        yield figures(
            "index, nginx in front", [*role, *front], ports.nginx, "/v1/keys/index", seconds
        )


def published_chunk(layout: Layout, database: ServicesDatabase) -> str:
    """Publish 2 MB that do not compress, and return the file's name."""
    data = os.urandom(CHUNK_BYTES)
    name = ChunkName.of(1, data)
    layout.chunks.mkdir()
    (layout.chunks / name.file_name).write_bytes(data)
    now = SystemClock().now()
    with psycopg.connect(database.owner) as owner:
        owner.execute(
            "INSERT INTO publishing.chunk"
            " (index, digest, size_bytes, key_count, window_start, window_end)"
            " VALUES (1, %s, %s, 1, %s, %s)",
            (name.digest, len(data), now - timedelta(hours=4), now),
        )
    return name.file_name


@contextmanager
def get_role(layout: Layout, ports: Ports, database: ServicesDatabase) -> Iterator[list[int]]:
    """Run the role, as production does."""
    variables = {
        "IMMUNI_DATA_DIR": str(layout.root),
        "IMMUNI_BASE_PORT": str(ports.base),
        "IMMUNI_REPORTING_DATABASE_URL": database.reporting,
        "IMMUNI_CONFIGURATION_DATABASE_URL": database.configuration,
        "IMMUNI_LOG_LEVEL": "error",
    }
    with running([sys.executable, "-m", "immuni", "serve", "get"], variables) as process:
        if process.stdout is None or not process.stdout.readline():
            raise SystemExit("the role did not come up")
        wait_for(ports.of(Role.GET))
        yield [process.pid]


@contextmanager
def plain_nginx(layout: Layout, port: int) -> Iterator[list[int]]:
    """Serve the folder of chunks with nginx."""
    settings = layout.nginx / "plain.conf"
    settings.write_text(
        PLAIN_NGINX.format(
            folder=layout.nginx,
            chunks=layout.chunks,
            host=LOOPBACK,
            port=port,
            user="user root;" if os.geteuid() == 0 else "",
        )
    )
    with running([str(find_nginx()), "-e", "stderr", "-c", str(settings)]) as process:
        wait_for(port)
        yield [process.pid]


@contextmanager
def nginx_in_front(layout: Layout, ports: Ports) -> Iterator[list[int]]:
    """Put nginx in front of the role, as `immuni up --nginx` does."""
    part = nginx_part(find_nginx(), layout, ports, HttpSettings())
    with running(part.command) as process:
        wait_for(ports.nginx)
        yield [process.pid, *workers_of(process.pid)]


def workers_of(pid: int) -> list[int]:
    """Return nginx's processes that answer; those that look after its copies come and go."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        int(child)
        for child in children
        if "worker process" in Path(f"/proc/{child}/cmdline").read_text()
    ]


@contextmanager
def running(
    command: Sequence[str], variables: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run a server until the block ends."""
    with subprocess.Popen(  # noqa: S603 - our own programs, and nginx
        command, stdout=subprocess.PIPE, text=True, env=os.environ | (variables or {})
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    asyncio.run(_wait_for(port))


async def _wait_for(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def figures(
    work: str,
    pids: Sequence[int],
    port: int,
    path: str,
    seconds: float,
    base: Figures | None = None,
) -> Figures:
    """Ask from a process of its own, and look at the servers' processor time."""
    at_once = AT_ONCE["index" if path.endswith("index") else "chunk"]
    ask(port, path, at_once, seconds / 5)
    before = cpu_seconds(pids)
    told = ask(port, path, at_once, seconds)
    cpu_ms = 1000 * (cpu_seconds(pids) - before) / told["count"]
    ratio = cpu_ms / base.cpu_ms if base else None
    return Figures(work, int(told["count"]), told["count"] / told["seconds"], cpu_ms, ratio)


def ask(port: int, path: str, at_once: int, seconds: float) -> dict[str, float]:
    """Ask for one path from a process of its own."""
    command = [sys.executable, __file__, "--ask", str(port), path, str(at_once), str(seconds)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - this file
    seen: dict[str, float] = json.loads(told.stdout)
    return seen


def cpu_seconds(pids: Sequence[int]) -> float:
    """Return the processor time that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


async def ask_all(port: int, path: str, at_once: int, seconds: float) -> dict[str, float]:
    """Ask for one path again and again, and count the answers."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\n\r\n".encode()
    size = await answer_size(port, request)
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    phones = [Phone(request, size, until=begun + seconds) for _ in range(at_once)]
    for phone in phones:
        await loop.create_connection(lambda phone=phone: phone, LOOPBACK, port)  # type: ignore[misc]  # of this turn
    await asyncio.gather(*(phone.over for phone in phones))
    taken = time.perf_counter() - begun
    return {"count": sum(phone.count for phone in phones), "seconds": taken}


async def answer_size(port: int, request: bytes) -> int:
    """Return how many bytes an answer has; every one has as many."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"answered {head[:16]!r}")
    lines = dict(each.lower().split(b": ", 1) for each in head.split(b"\r\n")[1:-2])
    writer.close()
    return len(head) + int(lines[b"content-length"])


class Phone(asyncio.BufferedProtocol):
    """One connection that asks as soon as it was answered; looks at no byte."""

    def __init__(self, request: bytes, size: int, *, until: float) -> None:
        self._request = request
        self._size = size
        self._until = until
        self._missing = size
        self._buffer = bytearray(2**18)
        self._transport: asyncio.WriteTransport | None = None
        self.count = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self._transport = transport  # type: ignore[assignment]  # of TCP
        self._ask()

    def get_buffer(self, _size: int) -> bytearray:
        """Lend the same memory each time."""
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Count what has come, and ask again when it is whole."""
        self._missing -= count
        if self._missing == 0:
            self.count += 1
            self._ask()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell that it is over."""
        if not self.over.done():
            self.over.set_result(None)

    def _ask(self) -> None:
        if self._transport is None:
            return
        if time.perf_counter() >= self._until:
            self._transport.close()
            return
        self._missing = self._size
        self._transport.write(self._request)


def line(figures: Figures) -> str:
    """Return figures for people."""
    ratio = f"  × {figures.ratio:.2f}" if figures.ratio else ""
    return (
        f"{figures.work:<32}{figures.requests:8,}  {figures.per_second:7,.0f}/s  "
        f"{figures.cpu_ms:.3f} ms CPU{ratio}"
    )


if __name__ == "__main__":
    main()
