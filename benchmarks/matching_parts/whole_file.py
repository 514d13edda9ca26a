"""A signed file from disk to matches, in a process of its own: the memory is its own then, too.

.venv/bin/python -m benchmarks.matching_parts.whole_file FOLDER
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from immuni._core import parse_export
from immuni.export import Export, VerificationKey, read_export, write_export
from immuni.export.container import read_container
from immuni.keys import PackedKeys
from immuni.matching import SightingIndex

ROOT: Final = Path(__file__).resolve().parents[2]
START: Final = 2642976
DAY: Final = 144
DAYS: Final = 14
BEGIN: Final = datetime(2020, 4, 1, tzinfo=UTC)

Figures = dict[str, Any]


def whole_file(keys: int) -> Figures:
    """Measure a process that reads a signed file, and matches it with 100 000 sightings."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write_whole_file(path, keys)
        told = subprocess.run(  # noqa: S603 - this module
            [sys.executable, "-m", "benchmarks.matching_parts.whole_file", folder],
            check=True,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        ).stdout
    figures: Figures = json.loads(told)
    return figures


def write_whole_file(folder: Path, count: int) -> None:
    """Write a signed file, and the key that signed it."""
    draw = random.Random(1)  # noqa: S311 - repeatable on purpose, guards nothing
    private_key = ec.generate_private_key(ec.SECP256R1())

    class Signer:
        key_id = "222"
        key_version = "v1"

        def sign(self, data: bytes) -> bytes:
            return private_key.sign(data, ec.ECDSA(SHA256()))

    keys = PackedKeys.from_columns(
        key_data=draw.randbytes(16 * count),
        rolling_starts=array("I", [START + DAY * draw.randrange(DAYS) for _ in range(count)]),
        rolling_periods=bytes([DAY]) * count,
        transmission_risk_levels=bytes([1]) * count,
        report_types=bytes([1]) * count,
        onsets=array("q", [0]) * count,
    )
    end = BEGIN + timedelta(days=DAYS)
    data = write_export(Export(start=BEGIN, end=end, region="222", keys=keys), [Signer()])
    (folder / "chunk").write_bytes(data)
    pem = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "key").write_bytes(pem)


def whole_file_at(folder: Path) -> Figures:
    """Measure what one file takes, memory first."""
    draw = random.Random(2)  # noqa: S311 - repeatable on purpose, guards nothing
    trusted = [VerificationKey.from_pem((folder / "key").read_bytes(), key_id="222")]
    rpis = draw.randbytes(16 * 100_000)
    intervals = array("I", [START + draw.randrange(DAY * DAYS) for _ in range(100_000)])
    index = SightingIndex(rpis, intervals)
    before = peak_bytes()

    def whole() -> int:
        keys = read_export((folder / "chunk").read_bytes(), trusted).keys
        assert isinstance(keys, PackedKeys)
        index.match(keys.key_data, keys.rolling_starts, keys.rolling_periods)
        return len(keys)

    count = whole()
    memory = peak_bytes() - before
    export_bin = read_container((folder / "chunk").read_bytes(), max_bytes=2**26).export_bin
    return {
        "keys_per_second": count / fastest(whole),
        "parsed_keys_per_second": count / fastest(lambda: parse_export(export_bin, 16)),
        "file_bytes": (folder / "chunk").stat().st_size,
        "memory_bytes": memory,
    }


def fastest(work: Callable[[], object], repetitions: int = 3) -> float:
    """Return the shortest of a few times: the others measure the neighbours."""
    seconds = []
    for _ in range(repetitions):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def peak_bytes() -> int:
    """Return the largest resident size that this process ever had."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM"))
    return int(peak) * 1024


if __name__ == "__main__":
    print(json.dumps(whole_file_at(Path(sys.argv[1]))))
