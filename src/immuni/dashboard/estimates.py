"""How many phones were active, healthy or notified, from the reports of a sample.

A phone that has something to report draws against the sampling rate, at most once a month for each
kind of report: of N phones that drew, the number that reported is binomial, and its rate is known.

*Notified* are the phones that warned their user, once each, however often they did. *Active* are
those that reported without exposure: each phone looks at one random span of 24 hours of the month,
and reports when a detection without exposure falls into it. So phones that are off half the time
count half, those whose first days lie after their span not at all: it is the mean number of phones
that are active within 24 hours. *Healthy* are those of the active ones that have all permissions.

Source:
    Analytics, "What operators see"; Operational Info, "When a phone sends".
"""

from dataclasses import dataclass
from math import ceil, floor, sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
"""How often an interval is to hold the true number of phones; it does so a little more often."""

_Z: Final = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number of phones, and between which numbers it lies with confidence `CONFIDENCE`."""

    phones: int
    low: int
    high: int


def estimate(reports: int, rate: float, *, spread: float = 1) -> Estimate:
    """Estimate how many phones drew, from how many reported.

    Args:
        reports: Their number, as it is shown.
        rate: The sampling rate; of a month with several, the effective one.
        spread: What several rates make of the variance, by that of the effective one alone.

    Raises:
        ValueError: The rate is none: where nobody was to report, nothing tells how many drew.

    Source:
        Wilson's score interval, solved for the number of trials instead of the probability, with
        Yates' correction for whole numbers: (reports - N·rate)² = z²·N·rate·(1 - rate).
    """
    if not 0 < rate <= 1:
        raise ValueError(f"a sampling rate lies above 0 and not above 1, got {rate}")
    if rate == 1:
        return Estimate(reports, reports, reports)
    phones, wider = reports / rate, sqrt(spread)
    low = phones - wider * (phones - _limit(max(0, reports - 0.5), rate, -1))
    high = phones + wider * (_limit(reports + 0.5, rate, 1) - phones)
    return Estimate(round(phones), max(reports, floor(low)), ceil(high))


def _limit(reports: float, rate: float, sign: int) -> float:
    spread = _Z**2 * (1 - rate)
    return (2 * reports + spread + sign * sqrt(spread * (4 * reports + spread))) / (2 * rate)
