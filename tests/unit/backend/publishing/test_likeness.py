"""Simulated people are spread over days, levels and periods like real ones."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Final

import pytest

from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS, Diagnosis
from immuni.backend.packed_keys import stored_keys
from immuni.backend.publishing.padding import SimulatedUpload, simulate_upload
from immuni.entropy import SeededEntropy
from immuni.keys import interval_at, rolling_start_of
from tests.unit.backend.publishing.epidemic import RULES, WINDOW, real_upload

PEOPLE: Final = 4000
TODAY: Final = rolling_start_of(interval_at(WINDOW.end))
FEW: Final = 16
"""Cells with fewer people, of both kinds together, count as one: the test is for larger ones."""
ALIKE: Final = 4.0
DIFFERENT: Final = 20.0
"""Standard deviations of the statistic, for two samples of the same spread."""

Feature = Callable[[SimulatedUpload], Hashable]


def any_key(upload: SimulatedUpload) -> Hashable:
    """Return day, period and days since onset of one key, chosen by its random bytes."""
    key = min(upload.teks, key=lambda tek: tek.key_data)
    return key.rolling_start_number, key.rolling_period == 144, upload.diagnosis.days_to(key)


def level_of_any_key(upload: SimulatedUpload) -> Hashable:
    key = min(upload.teks, key=lambda tek: tek.key_data)
    return DEFAULT_INFECTIOUSNESS.level(key, upload.diagnosis)


def period_of_today(upload: SimulatedUpload) -> Hashable:
    """Return how long the key of the day itself lived; most people have one."""
    return next(
        (tek.rolling_period for tek in upload.teks if tek.rolling_start_number == TODAY), None
    )


def number_of_keys(upload: SimulatedUpload) -> Hashable:
    return len(upload.teks)


def what_is_due(upload: SimulatedUpload) -> Hashable:
    """Return how many keys are published at once, and how many wait."""
    parts = RULES.sort(stored_keys(upload.teks), upload.diagnosis, WINDOW.end)
    return len(parts.ready), len(parts.waiting)


FEATURES: Final = (any_key, level_of_any_key, period_of_today, number_of_keys, what_is_due)


def published(upload: SimulatedUpload) -> SimulatedUpload:
    """Leave out the keys that nobody will ever see."""
    teks = [
        tek
        for tek in upload.teks
        if DEFAULT_INFECTIOUSNESS.level(tek, upload.diagnosis) is not None
    ]
    return replace(upload, teks=tuple(teks))


@cache
def real_people() -> list[SimulatedUpload]:
    entropy = SeededEntropy("real")
    return [real_upload(entropy) for _ in range(PEOPLE)]


@cache
def simulated_people() -> list[SimulatedUpload]:
    entropy = SeededEntropy("simulated")
    return [published(simulate_upload(WINDOW, entropy)) for _ in range(PEOPLE)]


def difference(feature: Feature, people: Sequence[SimulatedUpload]) -> float:
    """Compare `people` with real ones, in standard deviations of chi-square.

    Each person counts once, because the keys of one person depend on each other.
    """
    real = Counter(map(feature, real_people()))
    others = Counter(map(feature, people))
    rare = [cell for cell in real | others if real[cell] + others[cell] < FEW]
    cells = [(real.pop(cell, 0), others.pop(cell, 0)) for cell in set(real | others) - set(rare)]
    cells.append((real.total(), others.total()))
    statistic = sum((a - b) ** 2 / (a + b) for a, b in cells if a + b)
    freedom = sum(1 for a, b in cells if a + b) - 1
    return (statistic - freedom) / math.sqrt(2 * freedom)


@pytest.mark.parametrize("feature", FEATURES)
def test_simulated_people_are_spread_like_real_ones(feature: Feature) -> None:
    assert difference(feature, simulated_people()) < ALIKE


def an_interval_short(upload: SimulatedUpload) -> SimulatedUpload:
    """End the key of the day with the interval before the upload."""
    *teks, last = upload.teks
    if last.rolling_start_number == TODAY:
        last = replace(last, rolling_period=last.rolling_period - 1)
    return replace(upload, teks=(*teks, last))


def without_today(upload: SimulatedUpload) -> SimulatedUpload:
    """Leave out the key of the day."""
    teks = [tek for tek in upload.teks if tek.rolling_start_number < TODAY]
    return replace(upload, teks=tuple(teks))


def ill_since_four_days(upload: SimulatedUpload) -> SimulatedUpload:
    """Have everybody fall ill on the same day."""
    diagnosis = Diagnosis(WINDOW.end.date() - timedelta(days=4), None)
    return published(replace(upload, diagnosis=diagnosis))


def of_five_days(upload: SimulatedUpload) -> SimulatedUpload:
    """Leave the five newest keys."""
    return replace(upload, teks=upload.teks[-5:])


@pytest.mark.parametrize(
    ("distort", "feature"),
    [
        (an_interval_short, period_of_today),
        (without_today, what_is_due),
        (ill_since_four_days, level_of_any_key),
        (ill_since_four_days, any_key),
        (of_five_days, number_of_keys),
    ],
)
def test_people_of_another_spread_are_found_out(
    distort: Callable[[SimulatedUpload], SimulatedUpload], feature: Feature
) -> None:
    assert difference(feature, [distort(each) for each in simulated_people()]) > DIFFERENT
