"""Quantiles against the distribution, added up exactly."""

from fractions import Fraction
from math import comb, exp, factorial

import pytest

from immuni.dashboard.negative_binomial import quantile


def smallest(probability: float, shape: int, stays: Fraction) -> int:
    """Return the quantile for a whole shape, in exact arithmetic."""
    count, below = 0, Fraction(0)
    while True:
        below += comb(shape + count - 1, count) * stays**shape * (1 - stays) ** count
        if below >= probability:
            return count
        count += 1


@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
@pytest.mark.parametrize(("shape", "mean"), [(1, 3), (4, 20), (16, 5)])
def test_small_ones_are_exact(probability: float, shape: int, mean: int) -> None:
    variance = mean**2 / shape

    assert quantile(probability, mean=mean, variance=variance) == smallest(
        probability, shape, Fraction(shape, shape + mean)
    )


@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
def test_without_uncertainty_it_is_poisson(probability: float) -> None:
    count = quantile(probability, mean=7, variance=0)
    pieces = [exp(-7) * 7**each / factorial(each) for each in range(count + 1)]

    assert sum(pieces) >= probability > sum(pieces[:-1])


@pytest.mark.parametrize("variance", [0, 100, 15_000])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
def test_large_ones_go_on_where_small_ones_end(probability: float, variance: float) -> None:
    exact = quantile(probability, mean=500, variance=variance)

    assert quantile(probability, mean=500.001, variance=variance) == pytest.approx(exact, rel=0.01)


def test_of_nothing_comes_nothing() -> None:
    assert quantile(0.975, mean=0, variance=0) == 0
