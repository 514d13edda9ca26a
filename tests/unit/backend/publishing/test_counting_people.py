"""How many people are in a chunk: the published attack on padding, on ours and on a naive one.

The national systems that padded with copies of real keys, under fresh bytes, were undone by the
greatest common divisor of the counts in a histogram of the keys' metadata: it is the number of
copies, and the number of people follows.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import pytest

from immuni.backend.packed_keys import stored_keys
from immuni.backend.publishing.settings import PublishingSettings
from immuni.entropy import SeededEntropy
from immuni.keys import DiagnosisKey, ReportType, interval_at, rolling_start_of
from tests.unit.backend.publishing.epidemic import RULES, WINDOW, padder, real_upload

SETTINGS: Final = PublishingSettings()
SEEDS: Final = range(300)
MOST_PEOPLE: Final = 200
COPIES: Final = 5
TODAY: Final = rolling_start_of(interval_at(WINDOW.end))
NO_BETTER: Final = 0.95
"""By so much an estimate of no worth may be luckier than the best one, which is approximate."""


class Cell(NamedTuple):
    """All that a chunk tells of a key beside its random bytes."""

    start: int
    period: int
    level: int
    report_type: ReportType
    days_since_onset: int | None


Histogram = Counter[Cell]
Feature = Callable[[Cell], bool]
Estimate = Callable[[Histogram], float]


@dataclass(frozen=True)
class Sample:
    """A chunk as its readers see it, and what only its publisher knows."""

    histogram: Histogram
    real_people: int


@cache
def crowd() -> list[list[DiagnosisKey]]:
    """Return the keys that are due of many real people."""
    entropy = SeededEntropy("crowd")
    uploads = [real_upload(entropy) for _ in range(2000)]
    due = [RULES.sort(stored_keys(each.teks), each.diagnosis, WINDOW.end).ready for each in uploads]
    return [list(ready.packed()) for ready in due]


def priors() -> list[float]:
    """Return how probable each number of people is, from 1: small ones are, and matter, most."""
    return [1 / people for people in range(1, MOST_PEOPLE + 1)]


def real_people(seed: int) -> list[list[DiagnosisKey]]:
    """Draw some real people."""
    entropy = SeededEntropy(f"real {seed}")
    drawn = entropy.uniform(0, sum(priors()))
    number = 1
    while drawn > (share := priors()[number - 1]) and number < MOST_PEOPLE:
        drawn -= share
        number += 1
    first = entropy.below(len(crowd()) - MOST_PEOPLE)
    return crowd()[first : first + number]


def padding_of(seed: int, count: int) -> Sequence[DiagnosisKey]:
    """Draw simulated people for a chunk of `count` keys, as the publisher does."""
    run = padder(f"padding {seed}", SETTINGS)
    padding = run.noise()
    run.fill(padding, count)
    return padding.keys.packed()


@cache
def chunks() -> list[tuple[Histogram, Histogram, int]]:
    """Return the histograms of real and of simulated keys, and how many people are real."""
    pieces = []
    for seed in SEEDS:
        people = real_people(seed)
        keys = [key for person in people for key in person]
        pieces.append((histogram(keys), histogram(padding_of(seed, len(keys))), len(people)))
    return pieces


@cache
def padded() -> list[Sample]:
    """Return the chunks that we publish."""
    return [Sample(real + simulated, people) for real, simulated, people in chunks()]


@cache
def copied() -> list[Sample]:
    """Return chunks in which each real key is there several times, under fresh bytes."""
    return [
        Sample(Counter({cell: count * COPIES for cell, count in real.items()}), people)
        for real, _, people in chunks()
    ]


@cache
def padded_without_today() -> list[Sample]:
    """Return chunks whose simulated people have no key of the day."""
    return [
        Sample(
            real + Counter({cell: n for cell, n in simulated.items() if not is_of_today(cell)}),
            people,
        )
        for real, simulated, people in chunks()
    ]


def histogram(keys: Iterable[DiagnosisKey]) -> Histogram:
    """Count the keys by all that a chunk tells of them."""
    return Counter(
        Cell(
            key.tek.rolling_start_number,
            key.tek.rolling_period,
            key.transmission_risk_level,
            key.report_type,
            key.days_since_onset_of_symptoms,
        )
        for key in keys
    )


def number_of(feature: Feature, counts: Histogram) -> int:
    return sum(count for cell, count in counts.items() if feature(cell))


def counted(counts: Histogram) -> int:
    """Count the people, real and simulated: everybody has one key of yesterday."""
    return number_of(lambda cell: cell.start == TODAY - 144, counts)


@cache
def best_guess(people: int) -> int:
    """Guess the number of real people from the total alone, with the least error on average.

    Small chunks are filled up first; on top comes geometric noise, whose mean is declared.
    """
    minimum = math.ceil(SETTINGS.min_keys_per_chunk / keys_of_a_person())
    decay = SETTINGS.padding_noise / (1 + SETTINGS.padding_noise)
    weights = [
        prior * decay ** (people - filled) if (filled := max(real, minimum)) <= people else 0.0
        for real, prior in enumerate(priors(), start=1)
    ]
    return median_of(weights)


def median_of(weights: Sequence[float]) -> int:
    """Return the number, from 1, with half of the weight on either side; 1 where there is none."""
    reached = 0.0
    for number, weight in enumerate(weights, start=1):
        reached += weight
        if reached >= sum(weights) / 2:
            return number
    raise AssertionError("the whole weight is more than its half")


@cache
def keys_of_a_person() -> float:
    return sum(map(len, crowd())) / len(crowd())


def by_common_divisor(counts: Histogram) -> float:
    """Take the greatest common divisor of all counts for the number of copies."""
    return counted(counts) / math.gcd(*counts.values())


def by_frequent_divisor(counts: Histogram) -> float:
    """Take the largest divisor of nine counts in ten, for copies that are mixed with others."""
    divisors = [
        divisor
        for divisor in range(1, 21)
        if sum(count % divisor == 0 for count in counts.values()) >= 0.9 * len(counts)
    ]
    return counted(counts) / max(divisors)


@cache
def usual(feature: Feature) -> float:
    """Return how many such keys a person has on average."""
    everybody = histogram(key for person in crowd() for key in person)
    return number_of(feature, everybody) / len(crowd())


def by_share(feature: Feature) -> Estimate:
    """Extrapolate from one kind of keys, in case that simulated people have fewer of them."""
    return lambda counts: number_of(feature, counts) / usual(feature)


def less_noise(estimate: Estimate) -> Estimate:
    """Correct an estimate by what is declared of the noise."""
    return lambda counts: best_guess(round(estimate(counts)))


def is_of_today(cell: Cell) -> bool:
    return cell.start == TODAY


def is_of_top_level(cell: Cell) -> bool:
    return cell.level == 8


def is_old(cell: Cell) -> bool:
    return cell.start < TODAY - 7 * 144


ATTACKS: Final[dict[str, Estimate]] = {
    "common divisor": by_common_divisor,
    "frequent divisor": by_frequent_divisor,
    "keys of the day": by_share(is_of_today),
    "top level": by_share(is_of_top_level),
    "old keys": by_share(is_old),
}


def error(estimate: Estimate, samples: Sequence[Sample]) -> float:
    """Return by how many people an estimate is wrong on average."""
    wrong = [abs(estimate(each.histogram) - each.real_people) for each in samples]
    return sum(wrong) / len(wrong)


def error_of_best_guess(samples: Sequence[Sample]) -> float:
    """Return by how many people whoever knows the total alone is wrong on average."""
    return error(less_noise(counted), samples)


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_tells_more_than_the_total_does(name: str) -> None:
    best = error_of_best_guess(padded())

    assert error(ATTACKS[name], padded()) > NO_BETTER * best
    assert error(less_noise(ATTACKS[name]), padded()) > NO_BETTER * best


def test_the_noise_leaves_several_people_in_doubt() -> None:
    assert error_of_best_guess(padded()) > SETTINGS.padding_noise / 2


@pytest.mark.parametrize("name", ["common divisor", "frequent divisor"])
def test_copies_give_the_number_of_people_away(name: str) -> None:
    found = [ATTACKS[name](each.histogram) == each.real_people for each in copied()]

    assert sum(found) > 0.95 * len(found)


def test_padding_that_lacks_a_kind_of_keys_gives_the_number_of_people_away() -> None:
    samples = padded_without_today()

    assert error(ATTACKS["keys of the day"], samples) < 0.5 * error_of_best_guess(samples)
