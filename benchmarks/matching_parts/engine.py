"""The engine and its bound, measured by a program of the crate."""

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FEATURES: Final = ("aes", "vaes", "sha_ni", "avx2", "avx512f")

Figures = dict[str, Any]


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
