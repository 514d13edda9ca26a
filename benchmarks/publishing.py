"""A country's worst night published, against the least work that PostgreSQL and zlib need for it.

Uploads wait in an embedded PostgreSQL that syncs as in production; the publisher runs in a process
of its own, so that its memory can be told. The least work is a COPY of the same keys into a table
with the same indexes, and packing as many random bytes as the files hold. Run it with

    .venv/bin/python benchmarks/publishing.py [--uploads N] [--published N] [--json]
"""

import argparse
import asyncio
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, LiteralString

import psycopg

from immuni.backend.chunks import FolderChunkStore
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.publishing.publisher import Publisher
from immuni.backend.publishing.rules import PublicationRules
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.publishing.store import PublishingStore
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import prepare_services_database
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.entropy import SystemEntropy
from immuni.export import VerificationKey
from immuni.keys import TEK_ROLLING_PERIOD, interval_at, rolling_start_of

NOW: Final = datetime(2020, 6, 20, 12, 0, 7, tzinfo=UTC)
KEYS_PER_UPLOAD: Final = 14
_PACKED: Final = struct.Struct(">16sIH")
_COPY_UPLOADS: Final = """
    COPY ingestion.upload (packed_keys, onset_on, received_on, last_end) FROM STDIN
"""
_COPY_KEYS: Final = """
    COPY publishing.key (key_data, rolling_start_number, rolling_period, transmission_risk_level,
                         report_type, onset_on, origin, chunk_index) FROM STDIN
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run took."""

    uploads: int
    published_before: int
    keys: int
    chunks: int
    seconds: float
    keys_per_second: float
    peak_mb: float
    least_seconds: float
    ratio: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=100_000, help="of 14 keys each")
    parser.add_argument("--published", type=int, default=0, help="keys in the tables before")
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.add_argument("--publish", nargs=2, metavar=("URL", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.publish:
        asyncio.run(publish(arguments.publish[0], Path(arguments.publish[1])))
        return
    figures = measured(arguments.uploads, arguments.published)
    print(json.dumps(asdict(figures)) if arguments.json else line(figures))


def measured(uploads: int, published: int) -> Figures:
    """Fill a new database, publish what waits in it, and do the least work beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres")
        try:
            database = prepare_services_database(postgres.start(), folder / "secrets")
            fill(database.owner, uploads, published)
            create_signing_key(folder / "key.pem")
            told = run_publisher(database.jobs, folder)
            least = least_seconds(database.owner, folder, told["keys"])
        finally:
            postgres.stop()
    return Figures(
        uploads=uploads,
        published_before=published,
        keys=told["keys"],
        chunks=told["chunks"],
        seconds=told["seconds"],
        keys_per_second=told["keys"] / told["seconds"],
        peak_mb=told["peak_mb"],
        least_seconds=least,
        ratio=told["seconds"] / least,
    )


def fill(owner: str, uploads: int, published: int) -> None:
    """Let uploads wait, all of whose keys are due, beside keys of earlier chunks."""
    today = rolling_start_of(interval_at(NOW))
    starts = [today - back * TEK_ROLLING_PERIOD for back in range(1, KEYS_PER_UPLOAD + 1)]
    onset, received = NOW.date() - timedelta(days=12), NOW.date()
    with psycopg.connect(owner) as connection:
        rows = ((packed(starts), onset, received, today) for _ in range(uploads))
        copy(connection, _COPY_UPLOADS, rows)
        if published:
            connection.execute(
                "INSERT INTO publishing.chunk VALUES (1, %s, 1, 1, %s, %s)",
                [bytes(32), NOW - timedelta(hours=8), NOW - timedelta(hours=4)],
            )
            connection.execute("UPDATE publishing.progress SET newest_index = 1")
            copy(connection, _COPY_KEYS, key_rows(published))
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def packed(starts: Iterable[int]) -> bytes:
    """Return the keys of one person, as ingestion packs them."""
    return b"".join(
        sorted(_PACKED.pack(os.urandom(16), start, TEK_ROLLING_PERIOD) for start in starts)
    )


def key_rows(count: int) -> Iterator[tuple[object, ...]]:
    """Return keys as publishing keeps them, in chunks that are sorted by their bytes."""
    start, onset = rolling_start_of(interval_at(NOW)) - TEK_ROLLING_PERIOD, NOW.date()
    for first in range(0, count, 250_000):
        for key in sorted(os.urandom(16) for _ in range(min(250_000, count - first))):
            yield key, start, TEK_ROLLING_PERIOD, 8, 1, onset, "IT", 1


def copy(
    connection: psycopg.Connection, statement: LiteralString, rows: Iterable[tuple[object, ...]]
) -> None:
    """Copy rows into a table."""
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for row in rows:
            copying.write_row(row)


def run_publisher(jobs_url: str, folder: Path) -> dict[str, int]:
    """Publish in a process of its own, and return what it tells."""
    command = [sys.executable, __file__, "--publish", jobs_url, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - this file
    told: dict[str, int] = json.loads(done.stdout)
    return told


async def publish(jobs_url: str, folder: Path) -> None:
    """Publish everything that waits, and print how long it took and how much memory."""
    signer = LocalKeySigner.read(folder / "key.pem", key_id="222")
    async with open_pool(jobs_url, name="jobs") as pool:
        publisher = Publisher(
            store=PublishingStore(pool),
            chunks=FolderChunkStore.open(folder / "chunks"),
            signers=lambda: [signer],
            verification_keys=lambda: [VerificationKey("222", "v1", signer.public_key)],
            rules=PublicationRules(
                infectiousness=DEFAULT_INFECTIOUSNESS,
                embargo=timedelta(hours=2),
                retention=timedelta(days=14),
            ),
            settings=PublishingSettings(),
            clock=ManualClock(NOW),
            entropy=SystemEntropy(),
        )
        begun = time.perf_counter()
        run = await publisher.publish()
        seconds = time.perf_counter() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"keys": run.keys, "chunks": run.chunks, "seconds": seconds, "peak_mb": peak_mb}
    print(json.dumps(told))


def least_seconds(owner: str, folder: Path, keys: int) -> float:
    """Return what it takes to copy as many keys and to pack as many bytes, and nothing else."""
    rows = list(key_rows(keys))
    size = sum(path.stat().st_size for path in (folder / "chunks").iterdir())
    content = os.urandom(size)
    with psycopg.connect(owner) as connection:
        connection.execute("CREATE TABLE least (LIKE publishing.key INCLUDING INDEXES)")
        begun = time.perf_counter()
        copy(connection, _COPY_KEYS.replace("publishing.key", "least"), rows)
        connection.commit()
    zlib.compress(content, 6)
    return time.perf_counter() - begun


def line(figures: Figures) -> str:
    """Return the figures for people."""
    return (
        f"{figures.keys:,} keys of {figures.uploads:,} uploads in {figures.chunks} chunks, "
        f"{figures.published_before:,} published before\n"
        f"{figures.seconds:.1f} s, {figures.keys_per_second:,.0f} keys/s, "
        f"{figures.peak_mb:.0f} MB at most\n"
        f"COPY and zlib alone {figures.least_seconds:.1f} s, × {figures.ratio:.2f}"
    )


if __name__ == "__main__":
    main()
