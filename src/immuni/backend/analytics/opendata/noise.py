"""Noise that hides every single phone: integer geometric, from OpenDP."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final, cast

ROWS_OF_A_PHONE: Final = 2
"""A phone sends at most one report with exposure and one without in a month: without it, the sum of
the absolute differences of all cells is at most so much."""


class Noise:
    """Adds noise of one strength.

    Attributes:
        epsilon: What a release costs, as OpenDP computes it; above what was asked for by no more
            than the last digits of a floating-point number.
    """

    def __init__(self, epsilon: float) -> None:
        """Prepare; nothing is drawn yet.

        Args:
            epsilon: The privacy loss at most, of a phone with `ROWS_OF_A_PHONE` rows.
        """
        # A large native library, which nothing else in the process needs.
        import opendp.prelude as dp  # noqa: PLC0415

        dp.enable_features("contrib")
        self._scale = ROWS_OF_A_PHONE / epsilon
        # One release of all cells together: the distance of two tables is the sum over cells.
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
        self._measure = dp.m.make_geometric(*space, scale=self._scale)
        self.epsilon = cast("float", self._measure.map(d_in=ROWS_OF_A_PHONE))

    def add(self, counts: Sequence[int]) -> list[int]:
        """Return counts with noise, from cryptographic randomness; each call costs `epsilon`.

        Source:
            Ghosh, Roughgarden and Sundararajan, "Universally utility-maximizing privacy
            mechanisms", SIAM Journal on Computing 41 (2012): P(noise = k) falls with
            exp(−|k| / scale).
        """
        return cast("list[int]", self._measure(list(counts)))


def noise_deviation(epsilon: float, cells: int = 1) -> float:
    """Return the standard deviation of the noise in a sum of cells."""
    ratio = exp(-epsilon / ROWS_OF_A_PHONE)
    return sqrt(2 * ratio * cells) / (1 - ratio)
