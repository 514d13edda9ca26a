"""What ten million published keys in the tables cost: the same work beside them and without them.

Two databases, each of a PostgreSQL of its own that syncs, are the same but for the keys that are
published already. In each round, both do the same work, one after the other, the order changing:
what else the machine does meanwhile meets both alike. Run it with

    .venv/bin/python benchmarks/full_tables.py [--keys N] [--uploads N] [--rounds N] [--json]
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
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from immuni.api import Tek, Upload
from immuni.app.packet import Envelope, check_packet, upload_packet
from immuni.backend.chunks import FolderChunkStore
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.publishing.publisher import Publisher
from immuni.backend.publishing.rules import PublicationRules
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.publishing.store import PublishingStore
from immuni.backend.purging import purge
from immuni.backend.retention import RetentionSettings
from immuni.backend.sealing import create_sealing_key
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.clock import SystemClock
from immuni.database import open_pool
from immuni.deployment.databases import (
    AnalyticsDatabase,
    ServicesDatabase,
    prepare_analytics_database,
    prepare_services_database,
)
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.holdings import services_holdings
from immuni.deployment.layout import Layout
from immuni.deployment.ports import free_block
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.entropy import SystemEntropy
from immuni.export import VerificationKey
from immuni.keys import TEK_ROLLING_PERIOD, TemporaryExposureKey, first_interval_of, interval_at
from immuni.otp import OtpHash, generate_otp, otp_hash

AT_ONCE: Final = 32
REQUESTS: Final = 1000
LOOKS: Final = 20
CHUNK: Final = 250_000
OTP_KEYS: Final = OtpKeys({"bench": bytes(range(32))})
NOW: Final = SystemClock().now()
TODAY: Final = NOW.date()

Work = Callable[["Side"], float]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two databases, and an *upload* role on it."""

    published: int
    folder: Path
    services: ServicesDatabase
    analytics: AnalyticsDatabase
    port: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What one kind of work takes, in seconds, without and with keys in the tables."""

    work: str
    empty_seconds: float
    full_seconds: float
    ratio: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=10_000_000, help="published already")
    parser.add_argument("--uploads", type=int, default=100_000, help="of 13 keys, to be published")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        sides = [stack.enter_context(prepared(count)) for count in (0, arguments.keys)]
        seen: dict[str, list[tuple[float, float]]] = {}
        for number in range(arguments.rounds):
            for work, seconds in a_round(sides, arguments.uploads, backwards=number % 2 == 1):
                seen.setdefault(work, []).append(seconds)
                print(f"round {number + 1}: {work} {seconds[0]:.3f} s, {seconds[1]:.3f} s",
                      file=sys.stderr, flush=True)  # fmt: skip
    for work, pairs in seen.items():
        figures = figures_of(work, pairs)
        print(json.dumps(asdict(figures)) if arguments.json else line(figures), flush=True)


def figures_of(work: str, pairs: Sequence[tuple[float, float]]) -> Figures:
    """Return the medians of all rounds; the ratio is that of each round."""
    empty, full = zip(*pairs, strict=True)
    ratio = statistics.median(loaded / base for base, loaded in pairs)
    return Figures(work, statistics.median(empty), statistics.median(full), ratio)


def a_round(
    sides: Sequence[Side], uploads: int, *, backwards: bool
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Do each kind of work on both sides; publishing takes all that retention deletes then."""
    works: Mapping[str, Work] = {
        f"{REQUESTS} checks": checks,
        f"{REQUESTS} uploads": durable_uploads,
        f"publishing {uploads:,} uploads": lambda side: publishing(side, uploads),
        f"looks of doctor, {LOOKS}": doctor,
        "retention of what was published": retention,
    }
    for name, work in works.items():
        order = reversed(sides) if backwards else sides
        seconds = {side.published: work(side) for side in order}
        empty, full = (seconds[side.published] for side in sides)
        yield name, (empty, full)


@contextmanager
def prepared(published: int) -> Iterator[Side]:
    """Start a PostgreSQL, fill it, and run an *upload* role on it, until the block ends."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = Layout(folder)
        layout.keys.mkdir()
        create_sealing_key(layout.analytics_key, layout.analytics_public_key)
        create_signing_key(folder / "key.pem")
        with ExitStack() as stack:
            postgres = EmbeddedPostgres(folder / "postgres")
            stack.callback(postgres.stop)
            admin = postgres.start()
            services = prepare_services_database(admin, folder / "secrets")
            analytics = prepare_analytics_database(admin, folder / "secrets")
            fill(services.owner, published)
            base_port = free_block(SystemEntropy().below(40_000))
            port = Ports(base_port).of(Role.UPLOAD)
            stack.enter_context(upload_role(folder, services, base_port))
            yield Side(published, folder, services, analytics, port)


def fill(owner: str, published: int) -> None:
    """Let keys be published, in chunks as a publisher makes them."""
    chunks = published // CHUNK
    with psycopg.connect(owner, autocommit=True) as connection:
        for index in range(1, chunks + 1):
            connection.execute(
                "INSERT INTO publishing.chunk VALUES (%s, %s, 1, %s, %s, %s)",
                [index, bytes(32), CHUNK, NOW - timedelta(hours=8), NOW - timedelta(hours=4)],
            )
            connection.execute(
                "INSERT INTO publishing.key SELECT uuid_send(gen_random_uuid()) AS key_data,"
                " %s, 144, 8, 1, %s, 'IT', %s FROM generate_series(1, %s) ORDER BY key_data",
                [interval_at(NOW) - 5 * TEK_ROLLING_PERIOD, TODAY, index, CHUNK],
            )
        connection.execute("UPDATE publishing.progress SET newest_index = %s", [chunks])
    settle(owner)


def settle(owner: str) -> None:
    """Leave nothing to be done later that belongs to what was done before."""
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


@contextmanager
def upload_role(folder: Path, services: ServicesDatabase, base_port: int) -> Iterator[None]:
    """Run the role until the block ends."""
    variables = {
        "IMMUNI_DATA_DIR": str(folder),
        "IMMUNI_BASE_PORT": str(base_port),
        "IMMUNI_INGESTION_DATABASE_URL": services.ingestion,
        "IMMUNI_OTP_KEYS": OTP_KEYS.render(),
        "IMMUNI_RESPONSE_FLOOR": "10ms",
        "IMMUNI_RESPONSE_MEAN": "1ms",
        "IMMUNI_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "immuni", "serve", "upload"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, text=True, env=os.environ | variables
    ) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise SystemExit("the upload role did not come up")
            yield
        finally:
            process.terminate()


def checks(side: Side) -> float:
    """Check a code that is right, again and again."""
    (code,) = authorised(side, 1)
    return sent(side, [check_packet(envelope(code))] * REQUESTS)


def durable_uploads(side: Side) -> float:
    """Upload with as many codes."""
    packets = []
    for code in authorised(side, REQUESTS):
        keys = [
            TemporaryExposureKey(os.urandom(16), first_interval_of(TODAY - timedelta(days=back)))
            for back in range(2, 15)
        ]
        upload = Upload(teks=tuple(map(Tek.of, keys)), province="RM")
        packets.append(upload_packet(envelope(code), upload))
    return sent(side, packets)


def publishing(side: Side, uploads: int) -> float:
    """Publish uploads that wait, all of whose keys are due."""
    midnight = interval_at(NOW) // TEK_ROLLING_PERIOD * TEK_ROLLING_PERIOD
    with psycopg.connect(side.services.owner) as connection:
        connection.execute(
            """
            INSERT INTO ingestion.upload (packed_keys, onset_on, received_on, last_end)
            SELECT (
                -- The sum makes it a question of each row, with keys of its own.
                SELECT string_agg(uuid_send(gen_random_uuid()) || int4send(%(midnight)s - 144 * day)
                                  || int2send(144::smallint), '')
                FROM generate_series(2, 14 + 0 * n) AS day
            ), %(onset)s, %(today)s, %(midnight)s - 144
            FROM generate_series(1, %(uploads)s) AS n
            """,
            {
                "midnight": midnight,
                "onset": TODAY - timedelta(days=12),
                "today": TODAY,
                "uploads": uploads,
            },
        )
    settle(side.services.owner)
    return asyncio.run(published(side))


async def published(side: Side) -> float:
    """Run the publisher once, and return how long that took."""
    signer = LocalKeySigner.read(side.folder / "key.pem", key_id="222")
    async with open_pool(side.services.jobs, name="jobs") as pool:
        publisher = Publisher(
            store=PublishingStore(pool),
            chunks=FolderChunkStore.open(side.folder / "chunks"),
            signers=lambda: [signer],
            verification_keys=lambda: [VerificationKey("222", "v1", signer.public_key)],
            rules=PublicationRules(
                infectiousness=DEFAULT_INFECTIOUSNESS,
                embargo=timedelta(hours=2),
                retention=timedelta(days=14),
            ),
            settings=PublishingSettings(),
            clock=SystemClock(),
            entropy=SystemEntropy(),
        )
        begun = time.perf_counter()
        await publisher.publish()
        return time.perf_counter() - begun


def doctor(side: Side) -> float:
    """Ask what doctor asks the services' database."""

    async def look() -> float:
        async with open_pool(side.services.jobs, name="doctor") as pool:
            begun = time.perf_counter()
            for _ in range(LOOKS):
                await services_holdings(pool, RetentionSettings())
            return time.perf_counter() - begun

    return asyncio.run(look())


def retention(side: Side) -> float:
    """Delete the chunks of this round, as if their time had come, and the codes."""
    with psycopg.connect(side.services.owner) as connection:
        connection.execute(
            "UPDATE publishing.chunk SET window_start = window_start - interval '16 days',"
            " window_end = window_end - interval '16 days' WHERE index > %s",
            [side.published // CHUNK],
        )
        connection.execute("UPDATE ingestion.otp SET authorised_at = '-infinity', expires_at = %s",
                           [NOW])  # fmt: skip
    settle(side.services.owner)
    seconds = asyncio.run(purged(side))
    settle(side.services.owner)
    return seconds


async def purged(side: Side) -> float:
    """Run retention once, and return how long that took."""
    async with open_pool(side.services.jobs, name="jobs") as pool:
        begun = time.perf_counter()
        await purge(
            pool,
            partial(open_pool, side.analytics.analytics, max_size=1),
            FolderChunkStore.open(side.folder / "chunks"),
            settings=RetentionSettings(),
            now=SystemClock().now(),
        )
        return time.perf_counter() - begun


def authorised(side: Side, count: int) -> list[OtpHash]:
    """Authorise codes, behind the OTP Service's back."""
    entropy = SystemEntropy()
    codes = [otp_hash(generate_otp(entropy)) for _ in range(count)]
    onset, end = TODAY - timedelta(days=12), NOW + timedelta(hours=12)
    with psycopg.connect(side.services.owner) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            [(OTP_KEYS.current_id, OTP_KEYS.keyed(code)[0], onset, NOW, end) for code in codes],
        )
    return codes


def envelope(code: OtpHash) -> Envelope:
    """Return what stands around a request of 8 kB."""
    return Envelope(authority=LOOPBACK, token=code, client_clock=SystemClock().now(), size=8000)


def sent(side: Side, packets: Sequence[bytes]) -> float:
    """Send packets, many at once; all must be answered with 204."""

    async def phone(waiting: Iterator[bytes]) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, side.port)
        for packet in waiting:
            writer.write(packet.replace(b"Connection: close", b"Connection: keep-alive"))
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 204"):
                raise SystemExit(f"answered {answer[:16]!r}")
        writer.close()

    async def all_phones() -> float:
        waiting = iter(packets)
        phones: list[Awaitable[None]] = [phone(waiting) for _ in range(AT_ONCE)]
        begun = time.perf_counter()
        await asyncio.gather(*phones)
        return time.perf_counter() - begun

    return asyncio.run(all_phones())


def line(figures: Figures) -> str:
    """Return figures for people."""
    return (
        f"{figures.work:<36}{figures.empty_seconds:8.3f} s empty "
        f"{figures.full_seconds:8.3f} s full  × {figures.ratio:.2f}"
    )


if __name__ == "__main__":
    main()
