"""Matching over the number of sightings: the engine, its bound, Python, and a whole file.

The bound is what the libraries need to derive all keys and to encrypt all their intervals, with no
look-up. Rounds take turns, so that all suffer alike from what else the machine does; the figures
are medians. Times depend on the machine, ratios hardly do. Run it with

    .venv/bin/python benchmarks/matching.py [--keys N] [--rounds N] [--sightings N …]
        [--json FILE] [--plot FILE] [--instructions]
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

# A script finds what lies beside it, not the folder that it lies in.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.matching_parts.comparison import python
from benchmarks.matching_parts.engine import built, instructions, machine, run
from benchmarks.matching_parts.report import plot, table
from benchmarks.matching_parts.whole_file import whole_file

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
    arguments = parser.parse_args()
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
        "python": [python(count, rounds) for count in sightings],
        "whole file": whole_file(keys),
        "instructions": instructions(program) if arguments.instructions else None,
    }


if __name__ == "__main__":
    main()
