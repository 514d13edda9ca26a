"""Fuzz the reader of chunk files.

    .venv/bin/python -m tests.fuzz.fuzz_export [--seconds N] [--entry NAME] [--plain]

Every entry of `tests.fuzz.entries` gets its share of the time, in a process of its own. With
atheris, inputs are led by the branches that they reach; where there is no atheris, or with
`--plain`, they are mutated blindly. An input that breaks a rule ends the run with exit code 1, and
lies in ``var/fuzz`` for the test that comes first.
"""

import argparse
import importlib
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.fuzz.mutation import mutated

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = Path(__file__).with_name("corpus") / "export"
FINDINGS: Final = ROOT / "var" / "fuzz"
NAMES: Final = ("file", "bin", "sig")
GUIDED: Final = importlib.util.find_spec("atheris") is not None


def main() -> int:
    """Fuzz one entry, or each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="altogether")
    parser.add_argument("--entry", choices=NAMES)
    parser.add_argument("--plain", action="store_true", help="mutate blindly")
    arguments = parser.parse_args()
    FINDINGS.mkdir(parents=True, exist_ok=True)
    if arguments.entry is None:
        return fuzz_all(arguments.seconds, plain=arguments.plain)
    if GUIDED and not arguments.plain:
        fuzz_guided(arguments.entry, arguments.seconds)
    return fuzz_blindly(arguments.entry, arguments.seconds)


def fuzz_all(seconds: int, *, plain: bool) -> int:
    """Fuzz every entry for its share of `seconds`; return 1 if any found something."""
    share = str(max(1, seconds // len(NAMES)))
    more = ["--plain"] if plain else []
    codes = [
        subprocess.run(
            [sys.executable, "-m", __spec__.name, "--entry", name, "--seconds", share, *more],
            cwd=ROOT,
            check=False,
        ).returncode
        for name in NAMES
    ]
    return int(any(codes))


def fuzz_guided(name: str, seconds: int) -> None:
    """Fuzz with atheris, which ends the process."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["immuni.export", "tests.unit.export"]):
        entries = importlib.import_module("tests.fuzz.entries")
    with tempfile.TemporaryDirectory() as new_inputs:
        # The first folder gets what is found to be new, the second is only read.
        flags = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=10", "-rss_limit_mb=1024"]
        paths = [f"-artifact_prefix={FINDINGS}/{name}-", new_inputs, str(CORPUS / name)]
        atheris.Setup([sys.argv[0], *flags, "-print_final_stats=1", *paths], entries.ENTRIES[name])
        atheris.Fuzz()


def fuzz_blindly(name: str, seconds: int) -> int:
    """Fuzz with plain mutations; return 1 if an input broke a rule."""
    entry = importlib.import_module("tests.fuzz.entries").ENTRIES[name]
    seeds = seeds_of(name)
    draw = random.Random()  # noqa: S311 - guards nothing
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data, count = mutated(seeds, draw), count + 1
        try:
            entry(data)
        except BaseException:
            finding = FINDINGS / f"{name}-plain"
            finding.write_bytes(data)
            sys.stderr.write(f"{name}: input {count} broke a rule, it lies in {finding}\n")
            raise
    sys.stdout.write(f"{name}: {count} inputs, none broke a rule\n")
    return 0


def seeds_of(name: str) -> list[bytes]:
    """Return the inputs from which an entry begins."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


if __name__ == "__main__":
    sys.exit(main())
