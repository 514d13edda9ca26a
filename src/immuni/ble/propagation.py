"""How much of a signal is lost on its way."""

import math
from dataclasses import dataclass
from typing import Final

from immuni.entropy import Entropy

LOSS_AT_ONE_METRE_DB: Final = 54.0
LOSS_PER_DECADE_DB: Final = 12.0
_SHORTEST_METRES: Final = 0.1


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
    """Bodies, walls and reflections, as normally distributed decibels.

    Attributes:
        deviation_db: Standard deviation of one reception.
        entropy: Where it is drawn from.
    """

    deviation_db: float
    entropy: Entropy

    def draw_db(self) -> float:
        """Return how much more than usual is lost this time."""
        return self.entropy.normal(0.0, self.deviation_db)


def path_loss_db(metres: float) -> float:
    """Return what a 2.4 GHz signal loses between two phones indoors, without shadowing."""
    # At no distance the logarithm has no end; phones that touch are a hand's breadth apart.
    decades = math.log10(max(metres, _SHORTEST_METRES))
    return LOSS_AT_ONE_METRE_DB + LOSS_PER_DECADE_DB * decades
