"""Matching over the number of sightings: the engine, its bound, Python, and a whole file.

The bound is what the libraries need to derive all keys and to encrypt all their intervals, with no
look-up. Rounds take turns, so that all suffer alike from what else the machine does; the figures
are medians. Times depend on the machine, ratios hardly do. Run it with

    .venv/bin/python benchmarks/matching.py [--keys N] [--rounds N] [--sightings N …]
        [--json FILE] [--plot FILE] [--instructions]
"""

import argparse
import importlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from immuni._core import parse_export, reference
from immuni.export import Export, VerificationKey, read_export, write_export
from immuni.export.container import read_container
from immuni.keys import PackedKeys
from immuni.matching import SightingIndex

ROOT: Final = Path(__file__).resolve().parent.parent
START: Final = 2642976
DAY: Final = 144
DAYS: Final = 14
SAMPLE: Final = 300
"""Keys that Python matches: the time grows with their number."""
FEATURES: Final = ("aes", "vaes", "sha_ni", "avx2", "avx512f")
BEGIN: Final = datetime(2020, 4, 1, tzinfo=UTC)

Figures = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sightings", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    parser.add_argument("--plot", type=Path, help="draw them into this file")
    parser.add_argument("--instructions", action="store_true", help="count them with callgrind")
    parser.add_argument("--whole", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.whole:
        print(json.dumps(whole_file_at(arguments.whole)))
        return
    figures = measured(arguments)
    print(table(figures))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if arguments.plot:
        arguments.plot.write_text(plot(figures["all intervals"]), "utf-8")


def measured(arguments: argparse.Namespace) -> Figures:
    """Return every figure."""
    program = built()
    keys, rounds, sightings = arguments.keys, arguments.rounds, arguments.sightings
    return {
        "machine": machine(),
        "keys": keys,
        "rounds": rounds,
        "all intervals": run(program, rounds, keys, 1, 100, sightings),
        "two threads": run(program, rounds, keys, 2, 100, sightings),
        "40 in 100 intervals": run(program, rounds, keys, 1, 40, sightings),
        "python": [python(count) for count in sightings],
        "whole file": whole_file(keys),
        "instructions": instructions(program) if arguments.instructions else None,
    }


def built() -> Path:
    """Build the program that measures the engine, and return where it lies."""
    cargo = [str(ROOT / "scripts/with-rust"), "cargo"]
    command = [*cargo, "build", "--release", "--quiet", "--locked", "--message-format=json"]
    told = subprocess.run(  # noqa: S603 - our own program
        [*command, "--package=immuni-core", "--example=matching"],
        check=True,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ).stdout
    executables = [json.loads(line).get("executable") for line in told.splitlines()]
    return Path(next(path for path in executables if path))


def machine() -> Figures:
    """Return what processor this is, and which of its instructions matter."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    facts = {name.strip(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    flags = facts.get("flags", facts.get("Features", "")).split()
    model = f"{facts.get('model name', 'unknown')}, family {facts.get('cpu family', '?')}"
    return {"processor": model, "features": [flag for flag in FEATURES if flag in flags]}


def run(
    program: Path, rounds: int, keys: int, threads: int, occupied: int, sightings: Sequence[int]
) -> list[Figures]:
    """Run the program, and return the figures of the bound and of each number of sightings."""
    numbers = [rounds, keys, threads, occupied, *sightings]
    told = subprocess.run(  # noqa: S603 - our own program
        [program, *map(str, numbers)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    taken: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    sizes: dict[int, int] = {}
    for line in told.splitlines():
        what, *rest = line.split()
        count, size, clock, processor = map(int, rest)
        taken[what, count].append((clock, processor))
        sizes[count] = size

    def rates(what: str, count: int) -> Figures:
        clock = sorted(keys / (nanoseconds / 1e9) for nanoseconds, _ in taken[what, count])
        processor = [keys / (max(nanoseconds, 1) / 1e9) for _, nanoseconds in taken[what, count]]
        return {
            "keys_per_second": median(clock),
            "least": clock[0],
            "most": clock[-1],
            "keys_per_processor_second": median(processor),
        }

    bound = {"sightings": 0, **rates("bound", 0)}
    engine = [
        {
            "sightings": count,
            **rates("match", count),
            "build_seconds": median(clock for clock, _ in taken["build", count]) / 1e9,
            "bytes_per_sighting": sizes[count] / count,
        }
        for count in sightings
    ]
    return [bound, *engine]


def python(sightings: int) -> Figures:
    """Match a sample in readable Python, and with NumPy where that is installed."""
    draw = random.Random(1)  # noqa: S311 - repeatable on purpose, guards nothing
    rpis = draw.randbytes(16 * sightings)
    intervals = array("I", [START + draw.randrange(DAY * DAYS) for _ in range(sightings)])
    starts = array("I", [START + DAY * draw.randrange(DAYS) for _ in range(SAMPLE)])
    key_data, periods = draw.randbytes(16 * SAMPLE), bytes([DAY]) * SAMPLE
    index = reference.Index(rpis, intervals, 12)

    def matched(count: int) -> Callable[[], object]:
        columns = key_data[: 16 * count], starts[:count], periods[:count]
        return lambda: index.match_keys(*columns)

    # What it does with the sightings alone is not counted, as far as it can be told apart.
    seconds = max(fastest(matched(SAMPLE)) - fastest(matched(0)), 1e-9)
    vectors = numpy_seconds(key_data, starts, rpis)
    return {
        "sightings": sightings,
        "reference_keys_per_second": SAMPLE / seconds,
        "numpy_keys_per_second": SAMPLE / vectors if vectors else None,
    }


def numpy_seconds(key_data: bytes, starts: "array[int]", rpis: bytes) -> float | None:
    """Return what `cryptography` and a look-up of half identifiers by NumPy take for a sample."""
    try:
        np: Any = importlib.import_module("numpy")
    except ImportError:
        return None
    heard = np.sort(np.frombuffer(rpis, "<u8")[::2])
    padding = b"EN-RPI" + bytes(6)

    def identifiers(place: int) -> bytes:
        derivation = HKDF(SHA256(), 16, salt=None, info=b"EN-RPIK")
        rpik = derivation.derive(key_data[16 * place : 16 * place + 16])
        intervals = range(starts[place], starts[place] + DAY)
        blocks = b"".join(padding + interval.to_bytes(4, "little") for interval in intervals)
        return Cipher(algorithms.AES128(rpik), modes.ECB()).encryptor().update(blocks)  # noqa: S305

    def match() -> object:
        made = np.frombuffer(b"".join(map(identifiers, range(SAMPLE))), "<u8")[::2]
        places = np.searchsorted(heard, made)
        return np.flatnonzero(heard[np.minimum(places, len(heard) - 1)] == made)

    return fastest(match)


def whole_file(keys: int) -> Figures:
    """Measure a process that reads a signed file, and matches it with 100 000 sightings."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        write_whole_file(path, keys)
        command = [sys.executable, __file__, "--whole", folder]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603
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


def instructions(program: Path) -> list[Figures] | None:
    """Count the instructions that a further key takes; None without valgrind.

    Callgrind has no instructions for SHA-256, so that a portable implementation is counted.
    """
    if not shutil.which("valgrind"):
        return None

    def counted(keys: int, sightings: Sequence[int]) -> int:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(program)]
        numbers = [1, keys, 1, 100, *sightings]
        told = subprocess.run(  # noqa: S603 - our own program
            [*command, *map(str, numbers)], check=True, capture_output=True, text=True
        ).stderr
        (collected,) = (line for line in told.splitlines() if "Collected" in line)
        return int(collected.rpartition(":")[2])

    def of_a_key(sightings: Sequence[int]) -> float:
        return (counted(4000, sightings) - counted(2000, sightings)) / 2000

    bound = of_a_key([])
    matched = {count: of_a_key([count]) - bound for count in (10_000, 100_000)}
    return [
        {"sightings": 0, "instructions_per_key": bound},
        *({"sightings": n, "instructions_per_key": number} for n, number in matched.items()),
    ]


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


def table(figures: Figures) -> str:
    """Return the figures for people."""
    processor = figures["machine"]
    lines = [f"{processor['processor']}: {' '.join(processor['features'])}"]
    for name in ("all intervals", "two threads", "40 in 100 intervals"):
        bound, *engine = figures[name]
        lines += ["", f"{name:<20}{'keys/s':>9}  {'least…most':<19}{'of processor':>13}"]
        lines[-1] += "  bytes  index"
        lines += [f"  {'bound':<18}{rate(bound)}"]
        lines += [
            f"  {one['sightings']:<18}{rate(one)}"
            f"  {one['bytes_per_sighting']:5.1f}  {one['build_seconds'] * 1000:4.0f} ms"
            for one in engine
        ]
    lines += ["", "against Python          reference                NumPy"]
    for one, compared in zip(figures["all intervals"][1:], figures["python"], strict=True):
        lines.append(
            f"  {one['sightings']:<18}"
            f"{ratio(one['keys_per_second'], compared['reference_keys_per_second'])}"
            f"{ratio(one['keys_per_second'], compared['numpy_keys_per_second'])}"
        )
    whole = figures["whole file"]
    lines += [
        "",
        (
            f"whole file          {whole['keys_per_second']:9.0f} keys/s from disk to matches,"
            f" parser alone {whole['parsed_keys_per_second']:.0f} keys/s"
        ),
        (
            f"                    {whole['memory_bytes'] / 1e6:9.1f} MB for a file of"
            f" {whole['file_bytes'] / 1e6:.1f} MB"
        ),
    ]
    if figures["instructions"] is None:
        lines.append("instructions        not counted: want --instructions, and valgrind")
    for one in figures["instructions"] or []:
        name = one["sightings"] or "bound"
        lines.append(f"instructions  {name:<10} {one['instructions_per_key']:9.0f} for a key")
    return "\n".join(lines)


def rate(one: Figures) -> str:
    """Return a rate, its spread, and the rate in a second of the first thread's processor time."""
    spread = f"{one['least']:.0f}…{one['most']:.0f}"
    return f"{one['keys_per_second']:9.0f}  {spread:<19}{one['keys_per_processor_second']:13.0f}"


def ratio(engine: float, other: float | None) -> str:
    """Return a rate of Python's, and how often it fits into the engine's."""
    return f"{other:9.0f} (× {engine / other:.0f})    " if other else "  is not installed     "


def plot(measured: Sequence[Figures]) -> str:
    """Draw keys in a second of processor time over the number of sightings, as SVG."""
    bound, *engine = measured
    top = max(one["keys_per_processor_second"] for one in measured) * 1.1
    step = 440 / max(len(engine) - 1, 1)
    points = [
        (100 + step * place, 260 - 230 * one["keys_per_processor_second"] / top)
        for place, one in enumerate(engine)
    ]
    height = 260 - 230 * bound["keys_per_processor_second"] / top
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    marks = [
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="#0059b3"/>'
        f'<text x="{x:.0f}" y="{y + 22:.0f}" text-anchor="middle">'
        f"{one['keys_per_processor_second'] / 1000:.0f}</text>"
        f'<text x="{x:.0f}" y="282" text-anchor="middle">{one["sightings"]:,}</text>'
        for one, (x, y) in zip(engine, points, strict=True)
    ]
    return "\n".join(
        [
            (
                '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 310" font-size="13"'
                ' font-family="sans-serif" role="img">'
            ),
            "<title>Thousands of keys in a second of processor time, over sightings</title>",
            '<rect width="640" height="310" fill="#ffffff"/>',
            '<path d="M60 30V260H600" fill="none" stroke="#666666"/>',
            f'<path d="M60 {height:.0f}H600" stroke="#666666" stroke-dasharray="5 4"/>',
            (
                f'<text x="600" y="{height - 6:.0f}" text-anchor="end">derivation and encryption'
                f" alone: {bound['keys_per_processor_second'] / 1000:.0f}</text>"
            ),
            f'<polyline points="{line}" fill="none" stroke="#0059b3" stroke-width="2"/>',
            *marks,
            '<text x="60" y="20">thousands of keys in a second of processor time</text>',
            '<text x="600" y="302" text-anchor="end">sightings</text>',
            "</svg>\n",
        ]
    ).replace(",000", " 000")


if __name__ == "__main__":
    main()
