"""One detection on two weeks of chunks, as a phone holds it: how long, and in how much memory.

Fourteen signed files and a log of sightings are made; then a process of its own, which imports
little but the framework's detection, reads, verifies, matches and scores. Times depend on the
machine, the ratio to the Python reference hardly does. Run it with

    .venv/bin/python benchmarks/detection.py [--files N] [--keys N] [--sightings N] [--json]
"""

import argparse
import json
import pickle
import random
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from immuni._core import reference
from immuni.crypto import (
    BluetoothMetadata,
    derive_aemk,
    derive_rpik,
    encrypt_metadata,
    generate_rpi,
)
from immuni.export import Export, VerificationKey, read_export, write_export
from immuni.framework.detection import find_contacts
from immuni.keys import (
    DiagnosisKey,
    ENIntervalNumber,
    PackedKeys,
    ReportType,
    TemporaryExposureKey,
)
from immuni.matching import PackedSightings, match
from immuni.risk import IMMUNI_DEFAULT, assess

START: Final = 2642976
DAY: Final = 144
DAYS: Final = 14
INTERVAL_US: Final = 600_000_000
PLANTED: Final = 100
REPETITIONS: Final = 5
REFERENCE_KEYS: Final = 5000
BEGIN: Final = datetime(2020, 4, 1, tzinfo=UTC)
END: Final = BEGIN + timedelta(days=DAYS)


@dataclass(frozen=True, slots=True)
class Load:
    """What lies on a phone: chunk files with the key that signed them, columns of sightings."""

    files: list[bytes]
    pem: bytes
    rpis: bytes
    aems: bytes
    seen_at_us: bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process took; the reference's time is extrapolated from a sample of the keys."""

    keys: int
    sightings: int
    exposures: int
    detection_seconds: float
    reading_seconds: float
    matching_seconds: float
    reference_matching_seconds: float
    ratio: float
    imported_mb: float
    peak_mb: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=14)
    parser.add_argument("--keys", type=int, default=10_000, help="in each file")
    parser.add_argument("--sightings", type=int, default=100_000)
    parser.add_argument("--json", action="store_true", help="print one object")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(asdict(measured(arguments.measure))))
        return
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump(drawn_load(arguments.files, arguments.keys, arguments.sightings), file)
        file.flush()
        command = [sys.executable, __file__, "--measure", file.name]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603
    figures = Measured(**json.loads(told))
    print(json.dumps(asdict(figures)) if arguments.json else table(figures))


def drawn_load(file_count: int, keys: int, sightings: int) -> Load:
    """Draw the same load in every run, its signing key apart.

    One hundred sightings come from published keys; no other matches.
    """
    draw = random.Random(1)  # noqa: S311 - repeatable on purpose, guards nothing
    files, pem, planted = drawn_files(draw, file_count, keys)
    strangers = max(sightings - len(planted), 0)
    first, length = START * INTERVAL_US, DAYS * DAY * INTERVAL_US
    heard = planted + [
        (draw.randbytes(16), draw.randbytes(4), first + draw.randrange(length))
        for _ in range(strangers)
    ]
    draw.shuffle(heard)
    return Load(
        files=files,
        pem=pem,
        rpis=b"".join(rpi for rpi, _, _ in heard),
        aems=b"".join(aem for _, aem, _ in heard),
        seen_at_us=array("q", [at for _, _, at in heard]).tobytes(),
    )


def drawn_files(
    draw: random.Random, count: int, keys: int
) -> tuple[list[bytes], bytes, list[tuple[bytes, bytes, int]]]:
    """Draw signed files, their public key, and what is heard of the first file's keys."""
    private_key = ec.generate_private_key(ec.SECP256R1())

    class Signer:
        key_id = "222"
        key_version = "v1"

        def sign(self, data: bytes) -> bytes:
            return private_key.sign(data, ec.ECDSA(SHA256()))

    def drawn_key() -> DiagnosisKey:
        start = ENIntervalNumber(START + DAY * draw.randrange(DAYS))
        tek = TemporaryExposureKey(draw.randbytes(16), start)
        return DiagnosisKey(tek, draw.randrange(1, 9), ReportType.CONFIRMED_TEST, 0)

    def heard_of(key: DiagnosisKey) -> tuple[bytes, bytes, int]:
        interval = ENIntervalNumber(key.tek.rolling_start_number + draw.randrange(DAY))
        rpi = generate_rpi(derive_rpik(key.tek), interval)
        aem = encrypt_metadata(derive_aemk(key.tek), rpi, BluetoothMetadata(tx_power_dbm=-10))
        return rpi, aem, interval * INTERVAL_US + draw.randrange(INTERVAL_US)

    batches = [PackedKeys(drawn_key() for _ in range(keys)) for _ in range(count)]
    files = [
        write_export(Export(start=BEGIN, end=END, region="222", keys=batch), [Signer()])
        for batch in batches
    ]
    pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return files, pem, [heard_of(key) for key in batches[0][:PLANTED]]


def measured(path: Path) -> Measured:
    """Detect what lies at `path`; memory first, before anything else has taken some."""
    load: Load = pickle.loads(path.read_bytes())  # noqa: S301 - our own file of a moment ago
    imported_mb = peak_mb()
    keys = [VerificationKey.from_pem(load.pem, key_id="222", key_version="v1")]
    sightings = packed_sightings(load)

    def detection() -> int:
        contacts = find_contacts(load.files, sightings, verification_keys=keys)
        heard = [contact.heard for contact in contacts.found]
        return len(assess(heard, IMMUNI_DEFAULT, now=END).infos)

    exposures = detection()
    peak = peak_mb()
    exports = [read_export(file, keys) for file in load.files]
    published = PackedKeys.joined(export.keys for export in exports)
    matching_seconds = fastest(lambda: match(published, sightings))
    reference_seconds = reference_matching_seconds(published, sightings)
    return Measured(
        keys=len(published),
        sightings=len(sightings),
        exposures=exposures,
        detection_seconds=fastest(detection),
        reading_seconds=fastest(lambda: [read_export(file, keys) for file in load.files]),
        matching_seconds=matching_seconds,
        reference_matching_seconds=reference_seconds,
        ratio=reference_seconds / matching_seconds,
        imported_mb=imported_mb,
        peak_mb=peak,
    )


def packed_sightings(load: Load) -> PackedSightings:
    """Return the log of sightings."""
    moments = array("q", load.seen_at_us)
    count = len(moments)
    return PackedSightings.from_columns(
        rpis=bytearray(load.rpis),
        aems=bytearray(load.aems),
        has_aem=bytearray(b"\x01" * count),
        rssis_dbm=array("b", [-60]) * count,
        seen_at_us=moments,
        since_scan_us=array("q", [240_000_000]) * count,
    )


def reference_matching_seconds(keys: PackedKeys, sightings: PackedSightings) -> float:
    """Return what the Python reference would take for all `keys`."""

    def seconds(count: int) -> float:
        return fastest(
            lambda: reference.Index(sightings.rpis, sightings.intervals, 12).match_keys(
                keys.key_data[: 16 * count],
                keys.rolling_starts[:count],
                keys.rolling_periods[:count],
            ),
            repetitions=2,
        )

    sample = min(REFERENCE_KEYS, len(keys))
    unkeyed = seconds(0)
    return unkeyed + (seconds(sample) - unkeyed) / sample * len(keys)


def fastest(work: Callable[[], object], repetitions: int = REPETITIONS) -> float:
    """Return the shortest of a few times: the others measure the neighbours."""
    seconds = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def peak_mb() -> float:
    """Return the largest resident size that this process ever had."""
    # Not getrusage: it counts the parent's size from before this program was loaded.
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines()
    )
    return int(status["VmHWM"].split()[0]) / 1024


def table(figures: Measured) -> str:
    """Return the figures for people."""
    compared = f"reference {figures.reference_matching_seconds:.1f} s   × {figures.ratio:.0f}"
    return "\n".join(
        [
            f"{figures.keys} keys, {figures.sightings} sightings, {figures.exposures} exposures",
            f"detection   {figures.detection_seconds * 1000:9.1f} ms",
            f"  reading   {figures.reading_seconds * 1000:9.1f} ms",
            f"  matching  {figures.matching_seconds * 1000:9.1f} ms   {compared}",
            f"memory      {figures.peak_mb:9.1f} MB   imports alone {figures.imported_mb:.1f} MB",
        ]
    )


if __name__ == "__main__":
    main()
