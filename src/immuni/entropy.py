"""Randomness, as a value that is handed in.

Whatever draws takes an `Entropy`. Only `SystemEntropy` asks the operating system; `SeededEntropy`
repeats itself and is for tests and simulations, never for a key that guards anything.
"""

import random
import secrets
from typing import Protocol


class Entropy(Protocol):
    """A source of randomness."""

    def token(self, length: int) -> bytes:
        """Return `length` uniformly random bytes."""
        ...

    def below(self, bound: int) -> int:
        """Return an integer uniform in ``0 .. bound - 1``."""
        ...

    def uniform(self, low: float, high: float) -> float:
        """Return a real number uniform in ``[low, high)``."""
        ...

    def exponential(self, mean: float) -> float:
        """Return an exponentially distributed number with the given mean."""
        ...

    def normal(self, mean: float, deviation: float) -> float:
        """Return a normally distributed number."""
        ...


class _Draws:
    """The distributions, written once over a generator of the standard library."""

    _random: random.Random

    def below(self, bound: int) -> int:
        return self._random.randrange(bound)

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def exponential(self, mean: float) -> float:
        return self._random.expovariate(1.0 / mean)

    def normal(self, mean: float, deviation: float) -> float:
        return self._random.gauss(mean, deviation)


class SystemEntropy(_Draws):
    """The operating system's cryptographic generator."""

    def __init__(self) -> None:
        """Open the generator; it has no state of its own."""
        self._random = secrets.SystemRandom()

    def token(self, length: int) -> bytes:
        """Return `length` uniformly random bytes."""
        return secrets.token_bytes(length)


class SeededEntropy(_Draws):
    """A generator that repeats itself for the same seed."""

    def __init__(self, seed: int | str) -> None:
        """Start the sequence that belongs to `seed`."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose, guards nothing

    def token(self, length: int) -> bytes:
        """Return `length` bytes of the sequence."""
        return self._random.randbytes(length)
