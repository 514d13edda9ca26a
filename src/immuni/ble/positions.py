"""Where phones stand, and which of them are near each other."""

import math
from collections.abc import Iterator

from immuni.ble.propagation import Position

_Cell = tuple[int, int]


class Positions:
    """The places of many phones, arranged so that finding the near ones costs little.

    The plane is divided into squares as wide as a signal reaches: who is near stands in the same
    square or in one of the eight around it.
    """

    def __init__(self, reach_metres: float) -> None:
        """Begin with nobody.

        Args:
            reach_metres: How far apart two phones may be to be near each other.
        """
        self._reach = reach_metres
        self._places: dict[str, Position] = {}
        # Dictionaries keep their order, so that the same moves always give the same order.
        self._cells: dict[_Cell, dict[str, Position]] = {}

    def place(self, phone: str, position: Position) -> None:
        """Put a phone somewhere, in place of where it was."""
        self.remove(phone)
        self._places[phone] = position
        self._cells.setdefault(self._cell(position), {})[phone] = position

    def remove(self, phone: str) -> None:
        """Take a phone away, if it is anywhere."""
        position = self._places.pop(phone, None)
        if position is not None:
            cell = self._cell(position)
            del self._cells[cell][phone]
            if not self._cells[cell]:
                del self._cells[cell]

    def metres(self, one: str, other: str) -> float:
        """Return the distance of two phones; infinite where either is nowhere, or out of reach."""
        here, there = self._places.get(one), self._places.get(other)
        if here is None or there is None:
            return math.inf
        metres = here.distance_to(there)
        return metres if metres <= self._reach else math.inf

    def near(self, phone: str) -> Iterator[tuple[str, float]]:
        """Yield the phones in reach of `phone`, with their distances in metres."""
        here = self._places.get(phone)
        if here is None:
            return
        column, row = self._cell(here)
        for cell in ((column + x, row + y) for x in (-1, 0, 1) for y in (-1, 0, 1)):
            for other, there in self._cells.get(cell, {}).items():
                metres = here.distance_to(there)
                if metres <= self._reach and other != phone:
                    yield other, metres

    def _cell(self, position: Position) -> _Cell:
        return math.floor(position.x / self._reach), math.floor(position.y / self._reach)
