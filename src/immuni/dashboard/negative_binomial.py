"""Counts whose expectation is itself uncertain: Poisson around a gamma distribution."""

from math import exp, log, sqrt
from statistics import NormalDist
from typing import Final

# Above it the gamma distribution alone decides, and adding up would take long.
_LARGE: Final = 500


def quantile(probability: float, *, mean: float, variance: float) -> int:
    """Return the smallest count that is not exceeded with a probability.

    Args:
        probability: Between 0 and 1, both excluded.
        mean: Of the expectation, and so of the count.
        variance: Of the expectation; the count's own is `mean` more. 0 is Poisson.

    Complexity:
        The count, up to some hundreds; above, constant and exact to about a hundredth.

    Source:
        Wilson and Hilferty, "The distribution of chi-square", PNAS 17 (1931), for large means.
    """
    if mean <= 0:
        return 0
    if mean > _LARGE:
        return _of_gamma(probability, mean=mean, variance=mean + variance)
    shape = mean**2 / variance if variance > 0 else float("inf")
    stays = 1.0 if shape == float("inf") else shape / (shape + mean)
    piece = exp(-mean if stays == 1 else shape * log(stays))
    count, below = 0, piece
    while below < probability and piece > 0:
        factor = mean if stays == 1 else (shape + count) * (1 - stays)
        count += 1
        piece *= factor / count
        below += piece
    return count


def _of_gamma(probability: float, *, mean: float, variance: float) -> int:
    shape = mean**2 / variance
    root = 1 - 1 / (9 * shape) + NormalDist().inv_cdf(probability) / (3 * sqrt(shape))
    return round(mean * max(0.0, root) ** 3)
