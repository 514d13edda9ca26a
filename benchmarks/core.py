"""Derivation and matching: the native core against its Python reference, in one run.

Times depend on the machine, ratios hardly do: compare the last column. Run it with

    .venv/bin/python benchmarks/core.py [--keys N] [--sightings N] [--json]
"""

import argparse
import json
import random
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Final

from immuni._core import _native, reference

START: Final = 2642976
DAY: Final = 144
DAYS: Final = 14
TOLERANCE: Final = 12
REPETITIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one piece of work takes natively and in Python."""

    work: str
    native_seconds: float
    reference_seconds: float
    ratio: float


@dataclass(frozen=True, slots=True)
class Load:
    """Published keys of two weeks and sightings, none of which matches."""

    teks: list[bytes]
    rolling_starts: "array[int]"
    rpis: bytes
    intervals: "array[int]"

    @property
    def days(self) -> "array[int]":
        """The day of each key."""
        return array("I", [start // DAY for start in self.rolling_starts])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=500)
    parser.add_argument("--sightings", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    load = drawn_load(arguments.keys, arguments.sightings)
    for work, function in WORKS.items():
        comparison = compared(work, function, load)
        print(json.dumps(asdict(comparison)) if arguments.json else line(comparison))


def drawn_load(keys: int, sightings: int) -> Load:
    """Draw the same load in every run."""
    draw = random.Random(1)  # noqa: S311 - repeatable on purpose, guards nothing
    return Load(
        teks=[draw.randbytes(16) for _ in range(keys)],
        rolling_starts=array("I", [START + DAY * draw.randrange(DAYS) for _ in range(keys)]),
        rpis=draw.randbytes(16 * sightings),
        intervals=array("I", [START + draw.randrange(DAY * DAYS) for _ in range(sightings)]),
    )


def derivation(core: ModuleType, load: Load) -> object:
    """Derive both keys and a day's identifiers of every TEK."""
    return [
        (core.derive_aemk(tek), core.derive_rpis(core.derive_rpik(tek), start, DAY))
        for tek, start in zip(load.teks, load.rolling_starts, strict=True)
    ]


def matching(core: ModuleType, load: Load) -> object:
    """Match every key against every sighting, the building of the index included."""
    periods = bytes([DAY]) * len(load.teks)
    key_data = b"".join(load.teks)
    index = core.Index(load.rpis, load.intervals, TOLERANCE)
    return index.match_keys(key_data, load.rolling_starts, periods)


def preliminary_derivation(core: ModuleType, load: Load) -> object:
    """Derive a day's identifiers of every key, as the preliminary generation does."""
    return [core.derive_preliminary_rpis(key, 0, DAY) for key in load.teks]


def preliminary_matching(core: ModuleType, load: Load) -> object:
    """Match the keys as preliminary ones."""
    key_data = b"".join(load.teks)
    index = core.Index(load.rpis, load.intervals, TOLERANCE)
    return index.match_preliminary_keys(key_data, load.days)


WORKS: Final[dict[str, Callable[[ModuleType, Load], object]]] = {
    "derivation": derivation,
    "matching": matching,
    "preliminary derivation": preliminary_derivation,
    "preliminary matching": preliminary_matching,
}


def compared(work: str, function: Callable[[ModuleType, Load], object], load: Load) -> Comparison:
    """Run `function` on both implementations, which must agree."""
    native, native_seconds = fastest(function, _native, load)
    expected, reference_seconds = fastest(function, reference, load)
    if native != expected:
        raise SystemExit(f"{work}: native and reference disagree")
    return Comparison(work, native_seconds, reference_seconds, reference_seconds / native_seconds)


def fastest(
    function: Callable[[ModuleType, Load], object], core: ModuleType, load: Load
) -> tuple[object, float]:
    """Return the result and the shortest of a few times: the others measure the neighbours."""
    seconds = []
    result: object = None
    for _ in range(REPETITIONS):
        begin = time.perf_counter()
        result = function(core, load)
        seconds.append(time.perf_counter() - begin)
    return result, min(seconds)


def line(comparison: Comparison) -> str:
    """Return a comparison for people."""
    return (
        f"{comparison.work:<24}"
        f"native {comparison.native_seconds * 1000:9.2f} ms   "
        f"reference {comparison.reference_seconds * 1000:9.2f} ms   "
        f"× {comparison.ratio:.0f}"
    )


if __name__ == "__main__":
    main()
