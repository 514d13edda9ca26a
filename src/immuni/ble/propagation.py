"""How much of a signal is lost on its way."""

import math
from dataclasses import dataclass
from typing import Final

from immuni.entropy import SeededEntropy
from immuni.errors import ImmuniError

LOSS_AT_ONE_METRE_DB: Final = 54.0
LOSS_PER_DECADE_DB: Final = 12.0
_SHORTEST_METRES: Final = 0.1


class InvalidShadowingError(ImmuniError, ValueError):
    """Deviations are negative, or a probability is none; nothing was made."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place on a plane, in metres."""

    x: float
    y: float

    def distance_to(self, other: "Position") -> float:
        """Return the distance in metres."""
        return math.hypot(self.x - other.x, self.y - other.y)


@dataclass(frozen=True, slots=True)
class Shadowing:
    """What makes receptions differ from what distance alone would give.

    Deviations are normally distributed decibels, so that strengths are log-normal.

    Attributes:
        seed: Decides on every deviation and every loss.
        pair_deviation_db: Standard deviation between pairs of phones: how they are built and held.
        scan_deviation_db: Standard deviation from scan to scan: people who move, reflections.
        packet_loss: Probability, 0..1, with which a PDU is lost whatever its strength.
    """

    seed: int | str
    pair_deviation_db: float = 7.0
    scan_deviation_db: float = 5.0
    packet_loss: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if min(self.pair_deviation_db, self.scan_deviation_db) < 0:
            raise InvalidShadowingError("a standard deviation is not negative")
        if not 0 <= self.packet_loss <= 1:
            raise InvalidShadowingError(f"packet_loss must be in 0..1, got {self.packet_loss}")

    def pair_db(self, one: str, other: str) -> float:
        """Return what two phones lose beyond the usual, whichever of them sends.

        It depends on the seed and the two names only, not on which pairs were met before.
        """
        pair = (self.seed, *sorted((one, other)))
        return SeededEntropy(repr(pair)).normal(0.0, self.pair_deviation_db)

    def chance_of(self, phone: str) -> SeededEntropy:
        """Return the sequence that decides on what `phone` receives in its scans."""
        return SeededEntropy(repr((self.seed, phone)))


def path_loss_db(metres: float) -> float:
    """Return what a 2.4 GHz signal loses between two phones indoors, without shadowing."""
    # At no distance the logarithm has no end; phones that touch are a hand's breadth apart.
    decades = math.log10(max(metres, _SHORTEST_METRES))
    return LOSS_AT_ONE_METRE_DB + LOSS_PER_DECADE_DB * decades
