"""What checks, uploads and dummies cost, and how many of them the upload role takes in a second.

First the processor time of a whole upload of 8 kB without the database, against a bare Starlette
route that parses the same body. Then what one process of the role does for good beside an embedded
PostgreSQL that syncs as in production, against nothing but the server's own dummies of the same
size. At last the role gets half of what is asked of it, with the floor of production, and it is
counted which answers were not ready by then. The load comes from a process of its own. Run it with

    .venv/bin/python benchmarks/intake.py [--seconds N] [--published N] [--json]
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import psycopg
import uvloop

from immuni.api import Tek, Upload
from immuni.app.packet import Envelope, check_packet, upload_packet
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.sealing import create_sealing_key
from immuni.clock import SystemClock
from immuni.deployment.databases import ServicesDatabase, prepare_services_database
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.layout import Layout
from immuni.deployment.ports import free_block
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.entropy import SystemEntropy
from immuni.keys import TemporaryExposureKey, first_interval_of
from immuni.otp import OtpHash, generate_otp, otp_hash

SMALL: Final = 8_000
LARGE: Final = 110_000
AT_ONCE: Final = 64
CROWD: Final = 1000
LEAD_SECONDS: Final = 1
AS_FAST_AS_POSSIBLE: Final = 0.0
HALF_LOAD: Final = {"dummies of 110 kB": 1250.0, "checks": 1000.0, "durable uploads": 350.0}
FLOOR_MS: Final = 150
KEYS: Final = OtpKeys({"bench": bytes(range(32))})
NOW: Final = SystemClock().now()
NOWHERE: Final = Path(__file__).with_name("_nowhere.py")
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """What one kind of request takes; `late` is the share of answers that missed their moment."""

    work: str
    requests: int
    per_second: float
    cpu_ms: float
    p99_ms: float
    ratio: float
    late: float | None = None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="about so long for each figure")
    parser.add_argument("--published", type=int, default=0, help="keys in the tables before")
    parser.add_argument("--json", action="store_true", help="print one object per line")
    parser.add_argument("--send", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send:
        port, file, at_once, rate = arguments.send
        packets = in_time(packets_in(Path(file).read_bytes()), float(rate))
        print(json.dumps(uvloop.run(send_all(int(port), packets, int(at_once)))))
    else:
        for figures in measured(arguments.seconds, arguments.published):
            print(json.dumps(asdict(figures)) if arguments.json else line(figures), flush=True)


def measured(seconds: float, published: int) -> Iterator[Figures]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create_sealing_key(folder / "analytics.key", folder / "analytics.pem")
        yield from without_database(folder, int(1000 * seconds))
        postgres = EmbeddedPostgres(folder / "postgres")
        try:
            database = prepare_services_database(postgres.start(), folder / "secrets")
            fill(database.owner, published)
            yield from with_database(folder, database, seconds)
        finally:
            postgres.stop()


def without_database(folder: Path, count: int) -> Iterator[Figures]:
    """Measure a whole upload whose keys go nowhere, and the bare parsing of its body."""
    packets = [uploads_of([code], SMALL)[0] for code in codes(20)] * (count // 20)
    seen = {}
    for kind in ("bare", "whole"):
        port = free_block(SystemEntropy().below(40_000))
        command = [sys.executable, str(NOWHERE), kind, str(port), str(folder)]
        with running(command) as server:
            seen[kind] = measure(server, port, packets, folder)
    bare, whole = seen["bare"], seen["whole"]
    yield figures_of("8 kB parsed by bare Starlette", bare, 1.0)
    yield figures_of("8 kB upload without database", whole, whole["cpu"] / bare["cpu"])


def with_database(folder: Path, database: ServicesDatabase, seconds: float) -> Iterator[Figures]:
    """Measure what the role does for good."""
    base_port = free_block(SystemEntropy().below(40_000))
    port = Ports(base_port).of(Role.UPLOAD)
    layout = Layout(folder)
    layout.keys.mkdir()
    create_sealing_key(layout.analytics_key, layout.analytics_public_key)
    variables = {
        "IMMUNI_DATA_DIR": str(folder),
        "IMMUNI_BASE_PORT": str(base_port),
        "IMMUNI_INGESTION_DATABASE_URL": database.ingestion,
        "IMMUNI_OTP_KEYS": KEYS.render(),
        "IMMUNI_RESPONSE_FLOOR": "10ms",
        "IMMUNI_RESPONSE_MEAN": "1ms",
        "IMMUNI_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "immuni", "serve", "upload"]
    with running(command, variables) as server:
        small = check(codes(1)[0], SMALL, is_dummy=True)
        dummies = measure(server, port, [small] * 2000, folder)
        for name, packets in work_for(database, seconds).items():
            told = measure(server, port, packets, folder)
            yield figures_of(name, told, told["cpu"] / dummies["cpu"])
    variables["IMMUNI_RESPONSE_FLOOR"] = f"{FLOOR_MS}ms"
    with running(command, variables) as server:
        for name, packets in work_for(database, seconds).items():
            rate = HALF_LOAD[name]
            told = measure(server, port, packets[: int(rate * seconds)], folder, rate=rate)
            ratio = told["cpu"] / dummies["cpu"]
            yield figures_of(f"{name}, half load", told, ratio, late=told["late"])


def work_for(database: ServicesDatabase, seconds: float) -> dict[str, list[bytes]]:
    """Return requests of each kind; what the codes among them grant is still to be had."""
    fresh = codes(int(1000 * seconds))
    authorise(database.owner, fresh)
    return {
        "dummies of 110 kB": [check(fresh[0], LARGE, is_dummy=True)] * int(2500 * seconds),
        "checks": [check(each, SMALL) for each in fresh] * 2,
        "durable uploads": uploads_of(fresh, SMALL),
    }


def figures_of(
    work: str, told: dict[str, float], ratio: float, *, late: float | None = None
) -> Figures:
    """Put what was measured into words."""
    return Figures(
        work=work,
        requests=int(told["count"]),
        per_second=told["count"] / told["seconds"],
        cpu_ms=1000 * told["cpu"],
        p99_ms=1000 * told["p99"],
        ratio=ratio,
        late=late,
    )


@contextmanager
def running(
    command: Sequence[str], variables: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run a server until the block ends; it tells in a line when it answers."""
    with subprocess.Popen(  # noqa: S603 - our own programs
        command, stdout=subprocess.PIPE, text=True, env=os.environ | (variables or {})
    ) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise SystemExit(f"{' '.join(command)} did not come up")
            yield process
        finally:
            process.terminate()


def measure(
    server: "subprocess.Popen[str]",
    port: int,
    packets: Sequence[bytes],
    folder: Path,
    *,
    rate: float = AS_FAST_AS_POSSIBLE,
) -> dict[str, float]:
    """Send packets from a process of its own, and look at the server's processor time.

    Where a `rate` per second is given, each packet has its moment, whatever became of the others.
    """
    file = folder / "packets"
    file.write_bytes(b"".join(len(each).to_bytes(4, "big") + each for each in packets))
    before = cpu_seconds(server.pid)
    at_once = CROWD if rate else AT_ONCE
    command = [sys.executable, __file__, "--send", str(port), str(file), str(at_once), str(rate)]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - this file
    seen: dict[str, float] = json.loads(told.stdout)
    return seen | {"cpu": (cpu_seconds(server.pid) - before) / len(packets)}


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def send_all(
    port: int, waiting: Iterator[tuple[float, bytes]], at_once: int
) -> dict[str, float]:
    """Send every packet at its moment, so many at a time; all must be answered with 204."""
    times: list[float] = []

    async def phone() -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        for moment, packet in waiting:
            await asyncio.sleep(max(0, moment - time.perf_counter()))
            # Behind its moment, a packet is late by what it had to wait for a connection.
            begun = moment or time.perf_counter()
            writer.write(packet)
            answer = await reader.readuntil(b"\r\n\r\n")
            times.append(time.perf_counter() - begun)
            if not answer.startswith(b"HTTP/1.1 204"):
                raise SystemExit(f"answered {answer[:16]!r}")
        writer.close()

    begun = time.perf_counter() + (LEAD_SECONDS if at_once == CROWD else 0)
    async with asyncio.TaskGroup() as phones:
        for _ in range(at_once):
            phones.create_task(phone())
    seconds = time.perf_counter() - begun
    p99 = statistics.quantiles(times, n=100)[98]
    late = sum(each > 2 * FLOOR_MS / 1000 for each in times) / len(times)
    return {"count": len(times), "seconds": seconds, "p99": p99, "late": late}


def in_time(packets: Iterator[bytes], rate: float) -> Iterator[tuple[float, bytes]]:
    """Give each packet its moment, once the crowd is connected; none where there is no rate."""
    begun = time.perf_counter() + LEAD_SECONDS
    for number, packet in enumerate(packets):
        yield (begun + number / rate if rate else AS_FAST_AS_POSSIBLE), packet


def packets_in(data: bytes) -> Iterator[bytes]:
    """Yield the packets of a file, each behind its length."""
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        yield data[position + 4 : position + 4 + size]
        position += 4 + size


def codes(count: int) -> list[OtpHash]:
    """Draw codes."""
    entropy = SystemEntropy()
    return [otp_hash(generate_otp(entropy)) for _ in range(count)]


def check(code: OtpHash, size: int, *, is_dummy: bool = False) -> bytes:
    """Return a check of a code, on a connection that is kept."""
    return kept(check_packet(envelope(code, size, is_dummy=is_dummy)))


def uploads_of(some: Iterable[OtpHash], size: int) -> list[bytes]:
    """Return an upload of 13 keys for each code."""
    today = NOW.date()
    packets = []
    for code in some:
        keys = [
            TemporaryExposureKey(os.urandom(16), first_interval_of(today - timedelta(days=back)))
            for back in range(1, 14)
        ]
        upload = Upload(teks=tuple(map(Tek.of, keys)), province="RM")
        packets.append(kept(upload_packet(envelope(code, size), upload)))
    return packets


def envelope(code: OtpHash, size: int, *, is_dummy: bool = False) -> Envelope:
    """Return what stands around a request."""
    return Envelope(authority=LOOPBACK, token=code, client_clock=NOW, size=size, is_dummy=is_dummy)


def kept(packet: bytes) -> bytes:
    """Keep the connection: what is measured is the request."""
    return packet.replace(b"Connection: close", b"Connection: keep-alive")


def authorise(owner: str, some: Sequence[OtpHash]) -> None:
    """Authorise codes, behind the OTP Service's back."""
    onset, end = NOW.date() - timedelta(days=3), NOW + timedelta(hours=4)
    with psycopg.connect(owner) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            [(KEYS.current_id, KEYS.keyed(code)[0], onset, NOW, end) for code in some],
        )


def fill(owner: str, published: int) -> None:
    """Let keys be published already, and the tables be as they are in a running system."""
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO publishing.key SELECT uuid_send(gen_random_uuid()), 2650000, 144, 8, 1,"
            " '2020-06-01', 'IT', 1 FROM generate_series(1, %s)",
            [published],
        )
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def line(figures: Figures) -> str:
    """Return figures for people."""
    late = "" if figures.late is None else f"  {figures.late:.2%} late"
    return (
        f"{figures.work:<32}{figures.requests:8,}  {figures.per_second:7,.0f}/s  "
        f"{figures.cpu_ms:.3f} ms CPU  p99 {figures.p99_ms:6.1f} ms  × {figures.ratio:.2f}"
        f"{late}"
    )


if __name__ == "__main__":
    main()
