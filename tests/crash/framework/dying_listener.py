"""A phone that hears one scan after another: run as a process of its own, which is killed."""

import os
import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, overload

from immuni.crypto import AEM, RPI
from immuni.entropy import SystemEntropy
from immuni.framework import FileKeyStore, Store
from immuni.framework.store.scans import MOST_SIGHTINGS
from immuni.matching import Sighting

BEGIN: Final = datetime(2020, 6, 10, tzinfo=UTC)
SIGHTINGS_EACH: Final = 10 * MOST_SIGHTINGS + 1
"""A scan takes many rows, so that half of one could be there."""
MOST_SCANS: Final = 80
_RPI: Final = struct.Struct(">QQ")


def open_phone(folder: Path) -> Store:
    """Open the phone's store, or make it."""
    return Store(folder / "store.db", FileKeyStore(folder / "key"), SystemEntropy())


def scan(number: int) -> list[Sighting]:
    """Return what the scan `number` hears: other identifiers than any other."""
    seen_at = BEGIN + number * timedelta(seconds=10)
    return [
        Sighting(RPI(_RPI.pack(number, place)), AEM(b"meta"), -70, seen_at)
        for place in range(SIGHTINGS_EACH)
    ]


class DeadlyScan(Sequence[Sighting]):
    """A scan that kills its process when it is kept as far as one of its sightings."""

    def __init__(self, sightings: Sequence[Sighting], deadly: int) -> None:
        self._sightings = sightings
        self._deadly = deadly

    def __len__(self) -> int:
        return len(self._sightings)

    def __iter__(self) -> Iterator[Sighting]:
        # To look at all of them is harmless.
        return iter(self._sightings)

    @overload
    def __getitem__(self, index: int) -> Sighting: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sighting]: ...
    def __getitem__(self, index: int | slice) -> Sighting | Sequence[Sighting]:
        if index == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._sightings[index]


def listen(folder: Path, first: int) -> None:
    """Keep one scan after another, and say so after each, until killed."""
    # Made before, so that almost all of its time goes into keeping them.
    scans = {number: scan(number) for number in range(first, first + MOST_SCANS)}
    with open_phone(folder) as store:
        for number, heard in scans.items():
            store.sightings.add(heard)
            print(number, flush=True)  # noqa: T201 - the killer reads it


def listen_and_die(folder: Path, deadly: int) -> None:
    """Keep one scan, and die within the next."""
    with open_phone(folder) as store:
        store.sightings.add(scan(0))
        store.sightings.add(DeadlyScan(scan(1), deadly))


if __name__ == "__main__":
    work, where, number = sys.argv[1:]
    {"listen": listen, "die": listen_and_die}[work](Path(where), int(number))
