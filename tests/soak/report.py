"""What a soak tells people and scripts."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping

from tests.soak.evidence import Evidence
from tests.soak.housekeeping import Household
from tests.soak.soak import Plan
from tests.soak.watching import Sample


def progress(household: Household) -> None:
    """Tell in a line on standard error how far it has come."""
    town, sample = household.town, household.samples[-1]
    memory = " ".join(f"{role} {mb:.0f}" for role, mb in sample.memory_mb.items())
    sys.stderr.write(
        f"{town.answers.statuses.total()} requests, chunk {town.ledger.newest}, "
        f"{sample.connections} connections, {sample.files} files, MB: {memory}\n"
    )


def as_json(seen: Evidence, plan: Plan) -> str:
    """Return the report as one object."""
    return json.dumps(figures(seen, plan) | {"broken": seen.broken()})


def as_text(seen: Evidence, plan: Plan) -> str:
    """Return the report as a table."""
    lines = [f"{name:<46}{value}" for name, value in figures(seen, plan).items()]
    verdict = "Everything holds." if not seen.broken() else "Not everything holds."
    return "\n".join([*lines, verdict])


def figures(seen: Evidence, plan: Plan) -> dict[str, object]:
    """Return what was seen, by name."""
    shaped = seen.answers.shaped_seconds
    times = [1000 * part for part in statistics.quantiles(shaped, n=1000)]
    ledger = seen.ledger
    own = len(ledger.accepted.keys() & ledger.published.keys())
    return {
        "seconds of load": round(plan.seconds),
        "seed": plan.seed,
        "requests": seen.requests,
        "answers by status": dict(sorted(seen.answers.statuses.items())),
        "uploads accepted": ledger.uploads,
        "keys of theirs published": own,
        "keys of simulated people": len(ledger.published) - own,
        "chunks": len(ledger.digests),
        "shaped answers": len(shaped),
        "of them late (overruns)": seen.counted.overruns,
        "milliseconds, least, median, p99, p99.9": " ".join(
            f"{value:.0f}" for value in (1000 * min(shaped), times[499], times[989], times[998])
        ),
        "bytes logged per request": round(seen.log_bytes_per_request),
        **_course("connections to PostgreSQL", seen, lambda each: each.connections),
        **_course("files in the store", seen, lambda each: each.files),
        **_courses("rows of ", seen, lambda each: each.rows),
        **_courses("MB of ", seen, lambda each: each.memory_mb),
        **_courses("descriptors of ", seen, lambda each: each.descriptors),
    }


def _courses(
    prefix: str, seen: Evidence, figure: Callable[[Sample], Mapping[str, float]]
) -> dict[str, str]:
    told: dict[str, str] = {}
    for name in figure(seen.samples[0]):
        told |= _course(prefix + name, seen, lambda each, name=name: figure(each).get(name, 0))  # type: ignore[misc]
    return told


def _course(name: str, seen: Evidence, figure: Callable[[Sample], float]) -> dict[str, str]:
    """Return a figure at the first sample, in the middle and at the last, and the greatest."""
    values = [figure(each) for each in seen.samples]
    course = (values[0], values[len(values) // 2], values[-1])
    shown = " → ".join(f"{value:.0f}" for value in course)
    return {name: f"{shown} (at most {max(values):.0f})"}
