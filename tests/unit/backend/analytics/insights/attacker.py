"""Somebody who knows all that is shown of a table, and reckons."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Self

from immuni.backend.analytics.insights.tables import Cell, Table
from tests.unit.backend.analytics.insights.linear_program import Polytope

_UNBOUNDED = 10**9


@dataclass(frozen=True)
class Equation:
    """Withheld leaves whose sum is known."""

    leaves: tuple[Cell, ...]
    total: int


@dataclass
class Bounds:
    """The least and the most that each withheld leaf can hold, by all equations one at a time."""

    low: dict[Cell, int]
    high: dict[Cell, int]

    def copy(self) -> Self:
        return type(self)(dict(self.low), dict(self.high))

    def narrow(self, equations: list[Equation]) -> bool:
        """Reckon until nothing changes; False when the equations contradict each other."""
        changed = True
        while changed:
            changed = False
            for equation in equations:
                least = equation.total - sum(self.high[leaf] for leaf in equation.leaves)
                most = equation.total - sum(self.low[leaf] for leaf in equation.leaves)
                if least > 0 or most < 0:
                    return False
                for leaf in equation.leaves:
                    low, high = least + self.high[leaf], most + self.low[leaf]
                    if low > self.low[leaf] or high < self.high[leaf]:
                        self.low[leaf] = max(low, self.low[leaf])
                        self.high[leaf] = min(high, self.high[leaf])
                        changed = True
        return True


class Attacker:
    """Knows which counts are shown, that they add up, and that none is negative; nothing else.

    Of the table only its dimensions are used: the counts come from what is shown.
    """

    def __init__(self, dimensions: Table, shown: Mapping[Cell, int | None]) -> None:
        self.below: dict[Cell, list[Cell]] = {}
        for leaf in product(*(each.paths for each in dimensions.dimensions)):
            for cell in product(*dimensions.paths(leaf)):
                self.below.setdefault(cell, []).append(leaf)
        self.shown = shown
        self.equations = [
            self._equation(cell, count) for cell, count in shown.items() if count is not None
        ]
        hidden = {leaf for equation in self.equations for leaf in equation.leaves}
        hidden.update(*(self._hidden(cell) for cell, count in shown.items() if count is None))
        self.bounds = Bounds(dict.fromkeys(hidden, 0), dict.fromkeys(hidden, _UNBOUNDED))
        assert self.bounds.narrow(self.equations), "what is shown does not add up"

    @cached_property
    def polytope(self) -> Polytope:
        """Every table that looks like what is shown, if counts could be fractions."""
        distinct = {equation for equation in self.equations if equation.leaves}
        return Polytope(
            len(self.places),
            [
                ([self.places[leaf] for leaf in equation.leaves], equation.total)
                for equation in sorted(distinct, key=lambda each: each.leaves)
            ],
        )

    @cached_property
    def places(self) -> dict[Cell, int]:
        return {leaf: place for place, leaf in enumerate(self.bounds.low)}

    def interval(self, cell: Cell) -> tuple[float | Fraction, float | Fraction]:
        """Return the least and the most that a cell can hold, by all equations at once."""
        chosen, known = [self.places[leaf] for leaf in self._hidden(cell)], self._known(cell)
        least = known - self.polytope.greatest(chosen, sign=-1)
        return least, known + self.polytope.greatest(chosen)

    def quick_interval(self, cell: Cell) -> tuple[int, int]:
        """Return bounds of a cell by one equation at a time."""
        leaves, known = self._hidden(cell), self._known(cell)
        low = known + sum(self.bounds.low[leaf] for leaf in leaves)
        return low, known + sum(self.bounds.high[leaf] for leaf in leaves)

    def can_be(self, cell: Cell, count: int) -> bool:
        """Tell whether any table at all with this count looks like what is shown; exact."""
        bounds = self.bounds.copy()
        return self._solve(bounds, [*self.equations, self._equation(cell, count)])

    def _solve(self, bounds: Bounds, equations: list[Equation]) -> bool:
        if not bounds.narrow(equations):
            return False
        within = {leaf for equation in equations for leaf in equation.leaves}
        free = [leaf for leaf in within if bounds.low[leaf] < bounds.high[leaf]]
        if not free:
            return True
        leaf = min(free, key=lambda each: (bounds.high[each] - bounds.low[each], each))
        # The lower half, then the upper one: between them every value is tried.
        middle = (bounds.low[leaf] + bounds.high[leaf]) // 2
        lower, upper = bounds.copy(), bounds.copy()
        lower.high[leaf], upper.low[leaf] = middle, middle + 1
        return self._solve(lower, equations) or self._solve(upper, equations)

    def _equation(self, cell: Cell, count: int) -> Equation:
        return Equation(tuple(self._hidden(cell)), count - self._known(cell))

    def _hidden(self, cell: Cell) -> list[Cell]:
        return [leaf for leaf in self.below[cell] if self.shown[leaf] is None]

    def _known(self, cell: Cell) -> int:
        return sum(self.shown[leaf] or 0 for leaf in self.below[cell])
