"""What a soak has to show, and the sentences that tell where it does not."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tests.soak.ledger import Ledger
from tests.soak.visits import Answers
from tests.soak.watching import Counted, Logged, Sample

FLOOR: Final = timedelta(milliseconds=150)
MEAN: Final = timedelta(milliseconds=50)
FEWEST_SAMPLES: Final = 8
_MEMORY_MB: Final = 12.0
_DESCRIPTORS: Final = 10
_CONNECTIONS: Final = 10
_ROWS: Final = 50
_FILES: Final = 20
_LOG_BYTES_PER_REQUEST: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that was seen.

    Attributes:
        ledger: What became of keys.
        answers: What became of requests.
        samples: What the system took meanwhile.
        pids: Its processes at the beginning and at the end, by role.
        logged: Its logs.
        counted: What it counted itself.
        epidemiological: How much Epidemiological Info reached analytics.
        faults: What was seen on the way and must not be.
        leftovers: What is there at the end and must not be.
        published_at: When the last run of publishing began.
        most_overruns: The share of shaped answers that may be late; None where the machine is
            busy with other things too.
    """

    ledger: Ledger
    answers: Answers
    samples: Sequence[Sample]
    pids: tuple[Mapping[str, int], Mapping[str, int]]
    logged: Logged
    counted: Counted
    epidemiological: int
    faults: Sequence[str]
    leftovers: Mapping[str, int]
    published_at: datetime
    most_overruns: float | None

    @property
    def requests(self) -> int:
        """How many requests were answered."""
        return self.answers.statuses.total()

    @property
    def log_bytes_per_request(self) -> float:
        """How much was logged for each."""
        return self.logged.size_bytes / max(1, self.requests)

    def broken(self) -> list[str]:
        """Return a sentence for each invariant that does not hold."""
        return [sentence for check in _CHECKS for sentence in check(self)]


def _keys(seen: Evidence) -> list[str]:
    return seen.ledger.broken(seen.published_at)


def _infos(seen: Evidence) -> Iterable[str]:
    if seen.epidemiological != seen.ledger.uploads:
        yield f"analytics has {seen.epidemiological} infos of {seen.ledger.uploads} uploads"


def _answers(seen: Evidence) -> Iterable[str]:
    for kind, count in seen.answers.unexpected.most_common():
        yield f"{count} × not the answer that was due to {kind}"


def _counts(seen: Evidence) -> Iterable[str]:
    if seen.counted.statuses != seen.answers.statuses:
        sent, counted = dict(seen.answers.statuses), dict(seen.counted.statuses)
        yield f"answers by status were {sent}, the services count {counted}"


def _times(seen: Evidence) -> Iterable[str]:
    shaped = seen.answers.shaped_seconds
    early = sum(seconds < FLOOR.total_seconds() for seconds in shaped)
    if early:
        yield f"{early} shaped answers left before the floor"
    most = seen.most_overruns
    if most is not None and seen.counted.overruns > math.ceil(most * len(shaped)):
        yield f"{seen.counted.overruns} of {len(shaped)} shaped answers were late"


def _processes(seen: Evidence) -> Iterable[str]:
    before, after = seen.pids
    if fallen := [role for role, pid in before.items() if after.get(role) != pid]:
        yield f"these processes fell: {', '.join(fallen)}"


def _logs(seen: Evidence) -> Iterable[str]:
    for alarm, count in seen.logged.alarms.most_common():
        yield f"{count} × in {alarm}"
    if seen.log_bytes_per_request > _LOG_BYTES_PER_REQUEST:
        yield f"{seen.log_bytes_per_request:.0f} bytes were logged for each request"


def _growth(seen: Evidence) -> Iterable[str]:
    samples = seen.samples
    if len(samples) < FEWEST_SAMPLES:
        yield f"only {len(samples)} samples: nothing can be said of growth"
        return
    for role in seen.pids[0]:
        memory = [each.memory_mb.get(role, 0.0) for each in samples]
        yield from _grown(f"memory of {role}, in MB", memory, _MEMORY_MB)
        descriptors = [each.descriptors.get(role, 0) for each in samples]
        yield from _grown(f"descriptors of {role}", descriptors, _DESCRIPTORS)
    connections = [each.connections for each in samples]
    yield from _grown("connections to PostgreSQL", connections, _CONNECTIONS)
    yield from _grown("files in the store", [each.files for each in samples], _FILES)
    # Codes, uploads and keys are bounded by the load; what must not pile up is the queue's past.
    yield from _grown("rows of the queue", [each.rows["queue"] for each in samples], _ROWS)


def _deletion(seen: Evidence) -> Iterable[str]:
    yield from seen.faults
    for kind, count in seen.leftovers.items():
        yield f"{count} {kind} at the end"


_CHECKS: Final[Sequence[Callable[[Evidence], Iterable[str]]]] = (
    _keys,
    _infos,
    _answers,
    _counts,
    _times,
    _processes,
    _logs,
    _growth,
    _deletion,
)  # fmt: skip - one glance


def _grown(what: str, values: Sequence[float], allowed: float) -> Iterable[str]:
    """Compare the least of the second quarter with the least of the last.

    The first quarter is for warming up. The least, because work in hand comes and goes: what leaks
    stays.
    """
    quarter = len(values) // 4
    early, late = min(values[quarter : 2 * quarter]), min(values[-quarter:])
    if late > early + allowed:
        yield f"{what}: grew from {early:.0f} to {late:.0f}"
