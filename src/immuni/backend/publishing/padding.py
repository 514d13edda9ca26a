"""Simulated people, whose keys cannot be told from real ones in a chunk.

Whole people are drawn, as an upload of theirs would look: copies or multiples of real keys'
metadata would give the true number of people away through their greatest common divisor.

Source:
    Publishing, "How a chunk is built"; threats, "Linking one person's keys in a chunk".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from immuni.backend.infectiousness import Diagnosis
from immuni.backend.publishing.rules import Window
from immuni.entropy import Entropy
from immuni.keys import (
    KEY_LENGTH,
    TEK_ROLLING_PERIOD,
    ENIntervalNumber,
    TemporaryExposureKey,
    interval_at,
    rolling_start_of,
)

# How many of a hundred people upload so many days after their onset (index 0 is the same day):
# a test some days after the first symptoms, its result a day or two later.
_DELAY_WEIGHTS: Final = (2, 6, 11, 15, 15, 13, 11, 8, 6, 4, 3, 3, 2, 1)
# The same for people without symptoms, from their test.
_TEST_DELAY_WEIGHTS: Final = (20, 40, 25, 10, 5)
_ASYMPTOMATIC_SHARE: Final = 0.2
_RECENT_INSTALLATION_SHARE: Final = 0.1
_WHOLE_DAYS: Final = 13
"""Days of keys before the day of the upload."""


@dataclass(frozen=True, slots=True)
class SimulatedUpload:
    """What a person who does not exist would have uploaded."""

    teks: tuple[TemporaryExposureKey, ...]
    diagnosis: Diagnosis


def noise_people(mean: float, entropy: Entropy) -> int:
    """Draw how many simulated people are added to a chunk.

    Args:
        mean: Mean of the geometric distribution on 0, 1, 2 …
        entropy: Where the number comes from.
    """
    if mean <= 0:
        return 0
    # The whole part of an exponential is geometric; this is the exponential that gives `mean`.
    return math.floor(entropy.exponential(1 / math.log1p(1 / mean)))


def simulate_upload(window: Window, entropy: Entropy) -> SimulatedUpload:
    """Draw one person who uploads within `window`."""
    seconds = (window.end - window.start).total_seconds()
    uploaded_at = window.start + timedelta(seconds=entropy.uniform(0.0, seconds))
    teks = _teks(uploaded_at, entropy)
    return SimulatedUpload(teks, _diagnosis(uploaded_at, entropy))


def _diagnosis(uploaded_at: datetime, entropy: Entropy) -> Diagnosis:
    day = uploaded_at.date()
    if entropy.uniform(0.0, 1.0) < _ASYMPTOMATIC_SHARE:
        return Diagnosis(None, day - timedelta(days=_weighted(_TEST_DELAY_WEIGHTS, entropy)))
    return Diagnosis(day - timedelta(days=_weighted(_DELAY_WEIGHTS, entropy)), None)


def _teks(uploaded_at: datetime, entropy: Entropy) -> tuple[TemporaryExposureKey, ...]:
    """Draw the keys of the last days, and the one of the same day, released at the upload."""
    now = interval_at(uploaded_at)
    today = rolling_start_of(now)
    teks = [
        _tek(today - back * TEK_ROLLING_PERIOD, TEK_ROLLING_PERIOD, entropy)
        for back in range(_days_installed(entropy), 0, -1)
    ]
    # A phone counts the running interval: its identifier may have been heard already.
    return (*teks, _tek(today, now - today + 1, entropy))


def _tek(start: int, period: int, entropy: Entropy) -> TemporaryExposureKey:
    return TemporaryExposureKey(entropy.token(KEY_LENGTH), ENIntervalNumber(start), period)


def _days_installed(entropy: Entropy) -> int:
    if entropy.uniform(0.0, 1.0) < _RECENT_INSTALLATION_SHARE:
        return 1 + entropy.below(_WHOLE_DAYS)
    return _WHOLE_DAYS


def _weighted(weights: Sequence[int], entropy: Entropy) -> int:
    draw = entropy.below(sum(weights))
    for index, weight in enumerate(weights):
        draw -= weight
        if draw < 0:
            return index
    raise AssertionError("a draw below the sum falls into one of the weights")
