"""The phone's database with two weeks of sightings, against plain SQLite in the same run.

Times depend on the machine, ratios hardly do. Plain SQLite keeps the same sightings in a row each,
unencrypted, and forgets without overwriting. Run it with

    .venv/bin/python benchmarks/store.py [--sightings N] [--each N] [--json]
"""

import argparse
import json
import random
import sqlite3
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from immuni.crypto import AEM, RPI
from immuni.entropy import SystemEntropy
from immuni.framework import RETENTION, FileKeyStore, Store
from immuni.matching import Sighting, SightingIndex

BEGIN: Final = datetime(2020, 6, 1, tzinfo=UTC)
DAY: Final = timedelta(days=1)
INTERVAL_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one piece of work takes in the phone's database and in a plain one."""

    work: str
    unit: str
    phone: float
    plain: float
    ratio: float


class Database(Protocol):
    """What both can do."""

    def add(self, sightings: Sequence[Sighting]) -> None: ...

    def load(self) -> int: ...

    def index(self) -> int: ...

    def purge(self, before: datetime) -> None: ...

    def close(self) -> None: ...


class Phone:
    """The phone's store."""

    def __init__(self, folder: Path) -> None:
        self._store = Store(folder / "phone.db", FileKeyStore(folder / "key"), SystemEntropy())

    def add(self, sightings: Sequence[Sighting]) -> None:
        self._store.sightings.add(sightings)

    def load(self) -> int:
        return len(self._store.sightings.all())

    def index(self) -> int:
        with self._store.sightings.index() as index:
            return len(index)

    def purge(self, before: datetime) -> None:
        self._store.purge(before + RETENTION)

    def close(self) -> None:
        self._store.close()


class Plain:
    """SQLite as it comes, with the same journal."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "plain.db")
        self._connection.execute("PRAGMA journal_mode = wal")
        self._connection.execute("PRAGMA synchronous = normal")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS sighting (seen_at INTEGER, since INTEGER, rssi INTEGER,"
            " rpi BLOB, aem BLOB)"
        )
        self._connection.execute("CREATE INDEX IF NOT EXISTS by_time ON sighting (seen_at)")

    def add(self, sightings: Sequence[Sighting]) -> None:
        with self._connection:
            self._connection.executemany(
                "INSERT INTO sighting VALUES (?, ?, ?, ?, ?)",
                (
                    (int(s.seen_at.timestamp()), s.since_scan.seconds, s.rssi_dbm, s.rpi, s.aem)
                    for s in sightings
                    if s.since_scan is not None
                ),
            )

    def load(self) -> int:
        return len(self._connection.execute("SELECT * FROM sighting ORDER BY seen_at").fetchall())

    def index(self) -> int:
        rpis, intervals = bytearray(), array("I")
        for rpi, seen_at in self._connection.execute("SELECT rpi, seen_at FROM sighting"):
            rpis += rpi
            intervals.append(seen_at // INTERVAL_SECONDS)
        return len(SightingIndex(rpis, intervals))

    def purge(self, before: datetime) -> None:
        with self._connection:
            self._connection.execute(
                "DELETE FROM sighting WHERE seen_at < ?", (int(before.timestamp()),)
            )
        self._connection.execute("PRAGMA wal_checkpoint(truncate)")

    def close(self) -> None:
        self._connection.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sightings", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=5, help="sightings of one scan")
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    days = drawn_days(arguments.sightings, arguments.each)
    with tempfile.TemporaryDirectory() as folder:
        for comparison in compared(Path(folder), days):
            print(json.dumps(asdict(comparison)) if arguments.json else line(comparison))


def drawn_days(sightings: int, each: int) -> list[list[Sighting]]:
    """Draw what is heard in two weeks, day by day, the same in every run."""
    draw = random.Random(1)  # noqa: S311 - repeatable on purpose, guards nothing
    scans = sightings // each
    days: list[list[Sighting]] = [[] for _ in range(RETENTION // DAY)]
    for scan in range(scans):
        heard_at = BEGIN + (RETENTION * scan / scans)
        seen_at = heard_at.replace(microsecond=0)
        since_scan = timedelta(seconds=draw.randrange(211, 301))
        days[(seen_at - BEGIN) // DAY] += [
            Sighting(RPI(draw.randbytes(16)), AEM(draw.randbytes(4)), -70, seen_at, since_scan)
            for _ in range(each)
        ]
    return days


def compared(folder: Path, days: list[list[Sighting]]) -> Iterator[Comparison]:
    """Do every piece of work on both databases."""
    count = sum(map(len, days))
    phone, plain = work_of(Phone, folder, days), work_of(Plain, folder, days)
    for work, unit in UNITS.items():
        mine, theirs = phone[work], plain[work]
        if work == "insert":
            mine, theirs = count / mine, count / theirs
        if work == "size":
            mine, theirs = mine / count, theirs / count
        yield Comparison(work, unit, mine, theirs, mine / theirs)


UNITS: Final = {
    "insert": "sightings/s",
    "size": "bytes/sighting",
    "open": "s",
    "load": "s",
    "index": "s",
    "index anew": "s",
    "purge a day": "s",
}


def work_of(
    kind: Callable[[Path], Database], folder: Path, days: list[list[Sighting]]
) -> dict[str, float]:
    """Return what each piece of work took, in seconds, and the size in bytes."""
    taken: dict[str, float] = {}
    with closing(kind(folder)) as database, timed("insert", taken):
        for day in days:
            database.add(day)
    taken["size"] = (folder / f"{kind.__name__.lower()}.db").stat().st_size
    with timed("open", taken):
        database = kind(folder)
    with closing(database):
        with timed("load", taken):
            loaded = database.load()
        with timed("index", taken):
            indexed = database.index()
        if {loaded, indexed} != {sum(map(len, days))}:
            raise SystemExit(f"{kind.__name__} lost sightings")
        # The phone keeps its index, and takes in what it heard since.
        database.add([replace(days[-1][-1], seen_at=days[-1][-1].seen_at + timedelta(minutes=5))])
        with timed("index anew", taken):
            database.index()
        with timed("purge a day", taken):
            database.purge(BEGIN + DAY)
    return taken


@contextmanager
def timed(work: str, taken: dict[str, float]) -> Iterator[None]:
    """Note how long what is inside takes."""
    begin = time.perf_counter()
    yield
    taken[work] = time.perf_counter() - begin


def line(comparison: Comparison) -> str:
    """Return a comparison for people."""
    return (
        f"{comparison.work:<12}"
        f"phone {comparison.phone:12,.4g}   plain {comparison.plain:12,.4g}   "
        f"{comparison.unit:<15} × {comparison.ratio:.2f}"
    )


if __name__ == "__main__":
    main()
