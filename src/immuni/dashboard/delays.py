"""How long it takes, in whole days: from an exposure to symptoms, from symptoms to a call."""

from collections.abc import Sequence
from math import exp, log
from statistics import NormalDist

_STANDARD = NormalDist()


def incubation(days: int, *, median_days: float, dispersion: float) -> list[float]:
    """Return the probability that symptoms begin on the day of infection, 1 day later, and so on.

    The infection is uniform over its day, the incubation period log-normal. So the number of days
    between is a difference of two whole days, and its probability a second difference of the
    integral of the distribution function.

    Args:
        days: How many; what takes longer is cut off.
        median_days: Median of the incubation period.
        dispersion: Its geometric standard deviation, above 1.
    """
    mean, deviation = log(median_days), log(dispersion)

    def integral(until: float) -> float:
        if until <= 0:
            return 0
        z = (log(until) - mean) / deviation
        tail = exp(mean + deviation**2 / 2) * _STANDARD.cdf(z - deviation)
        return until * _STANDARD.cdf(z) - tail

    return [integral(day + 1) - 2 * integral(day) + integral(day - 1) for day in range(days)]


def waiting(days: int, *, mean_days: float) -> list[float]:
    """Return the probability of a wait of 0 days, 1 day and so on: geometric, of a given mean."""
    again = mean_days / (1 + mean_days)
    return [(1 - again) * again**day for day in range(days)]


def one_after_the_other(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Return the probabilities of the sum of two independent waits, as far as both are given."""
    return [
        sum(first[part] * second[day - part] for part in range(day + 1))
        for day in range(min(len(first), len(second)))
    ]
