"""What simulated uploads hide, and what they do not: one sequence, and a whole month of a phone.

An observer sees when requests to the *upload* host leave; hosts, sizes and TLS records are the same
for all of them, which tests show on real connections. Given one sequence, it knows from many of
both kinds how often each combination of times occurs in either, and is asked about others. Given a
month, it sees only whether there was a sequence. The decisions are the phone's own, people are
those of `immuni.app.dummies.people`. Run it with

    .venv/bin/python benchmarks/simulations.py [--count N] [--json]
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from immuni.api import ConfigurationSettings
from immuni.app.dummies.decision import (
    continues,
    next_opportunity,
    next_session,
    request_wait,
    start_wait,
    valid_opportunity,
)
from immuni.app.dummies.people import FIRST_HOUR, LAST_HOUR, a_person
from immuni.entropy import Entropy, SeededEntropy

SETTINGS: Final = ConfigurationSettings()
DAY: Final = timedelta(days=1)
MONTH: Final = 30 * DAY
REAL_RATE: Final = 3.0e-4
"""Phones whose user uploads in 30 days: 6 062 of some 8.5 million in 70 days were Immuni's.

By its public figures: 357 of 7.0 million until 4 October 2020, 6 419 of 10.0 million until 13
December.
"""
HIGH_RATE: Final = 1.0e-2
OPENED_EVERY: Final = (DAY, 7 * DAY, MONTH)
"""How often a user opens the App, on average."""
_BIN_SECONDS: Final = 1.5
_LAST_BIN: Final = 25
_PAUSES_SEEN: Final = 2
_BEGIN: Final = datetime(2020, 7, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """A sequence of requests, as an observer sees it.

    Attributes:
        hour: When the first one leaves, in hours since midnight.
        pauses: Seconds from each answer to the next request.
    """

    hour: float
    pauses: tuple[float, ...]

    @property
    def look(self) -> tuple[int, ...]:
        """Return what an observer counts: all times, coarsely."""
        pauses = (min(int(each / _BIN_SECONDS), _LAST_BIN) for each in self.pauses[:_PAUSES_SEEN])
        return (int(self.hour / 3), min(len(self.pauses), 4), *pauses)


Draw = Callable[[Entropy], Seen]


def of_a_person(entropy: Entropy, *, mean: timedelta | None = None) -> Seen:
    """Draw what a person does whose screens take the settings' mean, or another one."""
    mean = mean or timedelta(seconds=SETTINGS.dummy_teks_average_request_waiting_time)
    pauses = a_person(mean, entropy).pauses
    hour = entropy.uniform(FIRST_HOUR, LAST_HOUR)
    return Seen(hour, tuple(each.total_seconds() for each in pauses))


def of_nobody(entropy: Entropy) -> Seen:
    """Draw a background session of a phone."""
    begin = next_session(_BEGIN, SETTINGS, entropy, zone=UTC).opens_at
    return Seen(_hour(begin), _pauses(entropy, _like_people))


def of_nobody_with_exponential_pauses(entropy: Entropy) -> Seen:
    """Draw a sequence as it was thought of at first."""
    begin = next_session(_BEGIN, SETTINGS, entropy, zone=UTC).opens_at
    return Seen(_hour(begin), _pauses(entropy, _exponential))


def of_nobody_at_any_hour(entropy: Entropy) -> Seen:
    """Draw a sequence that comes by night as well."""
    begin = next_opportunity(_BEGIN, SETTINGS, entropy).opens_at
    return Seen(_hour(begin), _pauses(entropy, _like_people))


def accuracy(genuine: Draw, simulated: Draw, *, count: int, entropy: Entropy) -> float:
    """Return in which share of cases an observer is right about one sequence.

    Args:
        genuine: Draws what a person does.
        simulated: Draws what nobody does.
        count: Of sequences of each kind that it learns from; it is asked about as many.
        entropy: Draws.
    """
    people, nobodies = (
        Counter(draw(entropy).look for _ in range(count)) for draw in (genuine, simulated)
    )
    right = 0
    for _ in range(count):
        look = genuine(entropy).look
        right += people[look] > nobodies[look]
        look = simulated(entropy).look
        right += people[look] <= nobodies[look]
    return right / (2 * count)


def shows_in_background(entropy: Entropy) -> bool:
    """Tell whether a phone that is not iOS sends a simulated sequence within a month."""
    return next_session(_BEGIN, SETTINGS, entropy, zone=UTC).opens_at < _BEGIN + MONTH


def shows_in_foreground(entropy: Entropy, opened_every: timedelta) -> bool:
    """Tell whether an iOS phone sends one within a month, after a year of use."""
    now, begin = _BEGIN, _BEGIN + 365 * DAY
    opportunity = None
    while (now := now + opened_every * entropy.exponential(1)) < begin + MONTH:
        opportunity = valid_opportunity(opportunity, now=now, settings=SETTINGS, entropy=entropy)
        wait = start_wait(opportunity, now=now, settings=SETTINGS, entropy=entropy)
        if wait is not None:
            if now >= begin:
                return True
            opportunity = next_opportunity(now + wait, SETTINGS, entropy)
    return False


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, between 0 and 1."""

    what: str
    value: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="sequences and phones of a kind")
    parser.add_argument("--json", action="store_true", help="print one object per line")
    arguments = parser.parse_args()
    for figure in (*of_one_sequence(arguments.count), *of_a_month(arguments.count)):
        line = f"{figure.value:8.4f}  {figure.what}"
        print(json.dumps(asdict(figure)) if arguments.json else line, flush=True)


def of_one_sequence(count: int) -> Iterator[Figure]:
    """Measure how often an observer is right about one sequence."""
    entropy = SeededEntropy("one sequence")

    def right(genuine: Draw, simulated: Draw) -> float:
        return accuracy(genuine, simulated, count=count, entropy=entropy)

    yield Figure("right about one sequence", right(of_a_person, of_nobody))
    for seconds in (7, 13, 20):
        mean = timedelta(seconds=seconds)
        what = f"the same, were the mean of people {seconds} s"
        yield Figure(what, right(lambda drawn: of_a_person(drawn, mean=mean), of_nobody))  # noqa: B023 - called here
    yield Figure(
        "the same, were pauses exponential", right(of_a_person, of_nobody_with_exponential_pauses)
    )
    yield Figure("the same, by night as well", right(of_a_person, of_nobody_at_any_hour))


def of_a_month(count: int) -> Iterator[Figure]:
    """Measure what a month of a phone tells of its user."""
    entropy = SeededEntropy("one month")
    kinds: list[tuple[str, Sequence[bool]]] = [
        ("not iOS", [shows_in_background(entropy) for _ in range(count)])
    ]
    for every in OPENED_EVERY:
        opened = [shows_in_foreground(entropy, every) for _ in range(count // 5)]
        kinds.append((f"iOS, opened every {every.days} days", opened))
    for kind, shown in kinds:
        share = sum(shown) / len(shown)
        yield Figure(f"{kind}: phones that show a simulated sequence in 30 days", share)
        # A person shows one at any rate, so the best guess is that whoever shows one is a person.
        yield Figure(f"{kind}: right about a month, one of two being a person's", 1 - share / 2)
        for rate in (REAL_RATE, HIGH_RATE):
            value = rate / (rate + (1 - rate) * share)
            yield Figure(f"{kind}: a sequence is a person's, where {rate:.2%} upload", value)


def _pauses(entropy: Entropy, wait: Callable[[Entropy], float]) -> tuple[float, ...]:
    pauses: list[float] = []
    while continues(len(pauses) + 1, SETTINGS, entropy):
        pauses.append(wait(entropy))
    return tuple(pauses)


def _like_people(entropy: Entropy) -> float:
    return request_wait(SETTINGS, entropy).total_seconds()


def _exponential(entropy: Entropy) -> float:
    return entropy.exponential(SETTINGS.dummy_teks_average_request_waiting_time)


def _hour(instant: datetime) -> float:
    return (instant - instant.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(
        hours=1
    )


if __name__ == "__main__":
    main()
