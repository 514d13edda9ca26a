"""Which counts of a table are not shown, so that nobody finds small ones by subtracting.

A count is *small* when 0 < count < `k_anonymity`. Small counts are withheld, and as many others as
it takes that subtracting shown counts from shown totals gives none of them away.

Promise:
    For every small count, each number from 0 to `k_anonymity` agrees with everything that is shown,
    as long as one knows no more than that counts are whole numbers and not negative. No other
    count that is withheld can be computed either.

Proof:
    A *move* takes a phone out of some leaves of the table and puts one into others, so that only
    withheld cells change: the tables before and after look alike from outside. For every small cell
    moves are found, one after the other, that fill it up to `k_anonymity`, and others that empty
    it; what they change is withheld. A move is the outer product, over the dimensions, of "into
    this leaf, out of that one", or "into this leaf, from nowhere".

Limits:
    Zeros are shown. Whoever knows how cells are chosen, or counts from elsewhere, can know more.

Source:
    Hundepool et al., *Statistical Disclosure Control* (2012), chapter 4: primary and secondary
    cell suppression. Finding the best set is hard; here each small cell takes what is cheapest.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import product
from math import inf
from operator import attrgetter
from typing import Final

from immuni.backend.analytics.insights.tables import Cell, Table
from immuni.errors import ImmuniError

# Partners weighed in each dimension. More may find a cheaper move, none a safer one.
_PARTNERS: Final = 4


class UnprotectableError(ImmuniError, ValueError):
    """Counts that were shown before give a small one away; nothing was decided."""


def withhold(
    table: Table,
    *,
    k_anonymity: int,
    shown_before: Collection[Cell] = frozenset(),
    withheld_before: Collection[Cell] = frozenset(),
) -> dict[Cell, int | None]:
    """Return what may be shown of a table: the count of every cell, or None.

    The same table gives the same answer.

    Args:
        table: The counts.
        k_anonymity: The smallest count, other than 0, that is shown.
        shown_before: Cells whose counts are known already, as those of days that were shown before
            the total of their month is.
        withheld_before: Cells that were withheld then, and stay so.

    Raises:
        UnprotectableError: What was shown before gives a small count away.

    Complexity:
        For each small cell the leaves of each dimension once, and a bounded number of moves.
    """
    search = _Search(table, k_anonymity, frozenset(shown_before), set(withheld_before))
    for cell, leaves in search.small_cells():
        search.protect(cell, leaves)
    return {
        cell: None if cell in search.withheld else count for cell, count in table.counts.items()
    }


@dataclass(frozen=True, slots=True)
class _Step:
    """What a move does in one dimension: it fills `into` and empties `out_of`.

    Attributes:
        into: A leaf and the nodes above it, as far as their counts change.
        out_of: The same of the partner; empty when what comes, comes from nowhere and the totals
            above rise with it.
        price: Phones in cells that would newly be withheld if the move did only this.
    """

    into: tuple[str, ...]
    out_of: tuple[str, ...]
    price: float

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node whose counts change."""
        return self.into + self.out_of

    @property
    def ends(self) -> tuple[str, ...]:
        """The leaf that is filled, and its partner where there is one."""
        return (self.into[0], *self.out_of[:1])


@dataclass(frozen=True, slots=True)
class _Move:
    """A way for phones into a leaf and, backwards, out of it.

    Attributes:
        cells: Every cell whose count changes; each holds a phone at least.
        losing: The leaves, other than that one, which lose a phone with each that is moved.
        price: Phones in cells that would newly be withheld.
    """

    cells: list[Cell]
    losing: list[Cell]
    price: float


def _ends(steps: tuple[_Step, ...]) -> tuple[list[Cell], list[Cell]]:
    """Return the leaves that a move empties, and those that it fills beside the first."""
    falling: list[Cell] = []
    rising: list[Cell] = []
    for end in product(*(step.ends for step in steps)):
        lost = sum(node != step.into[0] for node, step in zip(end, steps, strict=True))
        (falling if lost % 2 else rising).append(end)
    return falling, rising[1:]


def _fork(path: Cell, other: Cell) -> tuple[Cell, Cell]:
    """Return the parts of two ways to the total before they meet."""
    return (
        tuple(node for node in path if node not in other),
        tuple(node for node in other if node not in path),
    )


def _size(fork: tuple[Cell, Cell]) -> tuple[int, Cell]:
    return len(fork[0] + fork[1]), fork[1]


class _Search:
    """The cells of one table that are withheld so far; they only ever become more."""

    def __init__(
        self, table: Table, k_anonymity: int, shown: frozenset[Cell], withheld: set[Cell]
    ) -> None:
        self.table, self.k_anonymity, self.shown = table, k_anonymity, shown
        self.counts = table.counts
        self.small = {cell for cell, count in self.counts.items() if 0 < count < k_anonymity}
        self.withheld = withheld | self.small
        if self.withheld & shown:
            raise UnprotectableError(f"{len(self.withheld & shown)} withheld counts were shown")
        self.forks: dict[tuple[int, str, str], list[tuple[Cell, Cell]]] = {}

    def small_cells(self) -> list[tuple[Cell, list[Cell]]]:
        """Return small cells with the leaves below that are not 0, totals before their parts.

        A move that protects a total often protects its parts, seldom the other way round.
        """
        below: dict[Cell, list[Cell]] = {}
        for leaf in sorted(self.table.leaves.keys() & self.small):
            for cell in product(*self.table.paths(leaf)):
                if cell in self.small:
                    below.setdefault(cell, []).append(leaf)
        depth = {
            node: len(path) - place
            for dimension in self.table.dimensions
            for path in dimension.paths.values()
            for place, node in enumerate(path)
        }
        return sorted(
            below.items(), key=lambda item: (sum(depth[node] for node in item[0]), item[0])
        )

    def protect(self, cell: Cell, leaves: Sequence[Cell]) -> None:
        """Withhold what lets a small cell be filled, and emptied, by phones from outside it.

        Args:
            cell: The cell.
            leaves: Those below it that hold phones.
        """
        self._shift(cell, leaves[0], self.k_anonymity - self.counts[cell], {}, is_filling=True)
        spent: dict[Cell, int] = {}
        for leaf in leaves:
            self._shift(cell, leaf, self.counts[leaf], spent, is_filling=False)

    def _shift(
        self, cell: Cell, leaf: Cell, phones: int, spent: dict[Cell, int], *, is_filling: bool
    ) -> None:
        """Find moves for phones into a leaf of a cell, or out of it.

        Args:
            cell: The cell.
            leaf: A leaf below it.
            phones: How many.
            spent: Phones that earlier moves took out of leaves. What they put in is not counted:
                then the moves are possible in any order.
            is_filling: Into the leaf, not out of it.
        """
        while phones:
            move = self._cheapest(cell, leaf, spent, is_filling=is_filling)
            self.withheld.update(move.cells)
            moved = min([phones, *(self.counts[end] - spent.get(end, 0) for end in move.losing)])
            for end in move.losing:
                spent[end] = spent.get(end, 0) + moved
            phones -= moved

    def _cheapest(
        self, cell: Cell, leaf: Cell, spent: Mapping[Cell, int], *, is_filling: bool
    ) -> _Move:
        best: _Move | None = None
        for steps in self._steps(cell, leaf, spent if is_filling else {}):
            if best is not None and best.price <= sum(step.price for step in steps):
                continue
            falling, rising = _ends(steps)
            losing = falling if is_filling else rising
            if not all(self.counts[end] > spent.get(end, 0) for end in losing):
                continue
            if not all(map(self.counts.__getitem__, falling + rising)):
                continue
            cells = list(product(*(step.nodes for step in steps)))
            move = _Move(cells, losing, sum(map(self._price, cells)))
            if move.price < (inf if best is None else best.price):
                best = move
            if move.price == 0:
                break
        if best is None:
            raise UnprotectableError("counts that were shown before give a small one away")
        return best

    def _steps(
        self, cell: Cell, leaf: Cell, spent: Mapping[Cell, int]
    ) -> Iterator[tuple[_Step, ...]]:
        """Yield what moves can do in each dimension; the last needs no partner at all."""
        paths = enumerate(self.table.paths(leaf))
        return product(*(self._along(place, cell, leaf, path, spent) for place, path in paths))

    def _along(
        self, place: int, cell: Cell, leaf: Cell, path: Cell, spent: Mapping[Cell, int]
    ) -> list[_Step]:
        """Return what moves can do in one dimension; their partners lie outside the cell."""
        steps: list[_Step] = []
        before, after = leaf[:place], leaf[place + 1 :]
        for into, out_of in self._forks(place, leaf[place], cell[place]):
            end = (*before, out_of[0], *after)
            if self.counts[end] > spent.get(end, 0):
                price = sum(self._price((*before, node, *after)) for node in into + out_of)
                steps.append(_Step(into, out_of, price))
                if price == 0 and sum(step.price == 0 for step in steps) == _PARTNERS:
                    break
        steps = nsmallest(_PARTNERS, steps, key=attrgetter("price"))
        upwards = sum(self._price((*before, node, *after)) for node in path)
        return [*steps, _Step(path, (), upwards)]

    def _forks(self, place: int, leaf: str, node: str) -> list[tuple[Cell, Cell]]:
        """Return, for each leaf that is not below a node, the two ways up to where they meet.

        Near ones come first: fewer totals change with them.
        """
        if (place, leaf, node) not in self.forks:
            paths = self.table.dimensions[place].paths
            self.forks[place, leaf, node] = sorted(
                (_fork(paths[leaf], path) for path in paths.values() if node not in path), key=_size
            )
        return self.forks[place, leaf, node]

    def _price(self, cell: Cell) -> float:
        """Return how many phones would no longer be shown, if a cell were withheld."""
        if cell in self.withheld:
            return 0
        return inf if cell in self.shown else self.counts[cell]
