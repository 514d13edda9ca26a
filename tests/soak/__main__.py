"""Let the whole backend soak in mixed load, and tell what does not hold.

    .venv/bin/python -m tests.soak [--minutes N] [--per-second N] [--seed N] [--json]

A system is started in a temporary folder, as `immuni up` starts it. Meanwhile and at the end it is
compared with what everybody who talks to it knows: docs/operations/resilience.md names what must
hold. The exit code is 1, with a sentence for each, where something does not.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.soak.report import as_json, as_text, progress
from tests.soak.soak import Plan, soak

_MOST_OVERRUNS: Final = 0.001


def main() -> int:
    """Soak, report, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--per-second", type=float, default=25, help="visitors")
    parser.add_argument("--seed", type=int, default=1, help="decides what visitors draw")
    parser.add_argument(
        "--most-overruns",
        type=float,
        default=_MOST_OVERRUNS,
        help="share of shaped answers that may be late",
    )
    parser.add_argument("--json", action="store_true", help="print one object")
    arguments = parser.parse_args()
    plan = Plan(
        seconds=60 * arguments.minutes,
        per_second=arguments.per_second,
        jobs_every_seconds=20,
        samples_every_seconds=max(1.0, min(60.0, 60 * arguments.minutes / 30)),
        seed=arguments.seed,
        most_overruns=arguments.most_overruns,
    )
    with tempfile.TemporaryDirectory(prefix="immuni-soak-") as folder:
        evidence = asyncio.run(soak(plan, Path(folder), progress))
    broken = evidence.broken()
    told = as_json(evidence, plan) if arguments.json else as_text(evidence, plan)
    sys.stdout.write(f"{told}\n")
    sys.stderr.writelines(f"soak: {sentence}\n" for sentence in broken)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
