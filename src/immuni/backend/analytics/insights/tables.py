"""Counts by one dimension or more, with every total: what statistics are shown as."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Self

Cell = tuple[str, ...]
"""A place in a table: a node of each of its dimensions."""


@dataclass(frozen=True)
class Dimension:
    """What a table tells apart, from the leaves up to the total of all.

    Attributes:
        paths: For each leaf the nodes above it: itself first, the total last.
    """

    paths: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        parents: dict[str, Cell] = {}
        for leaf, path in self.paths.items():
            if path[:1] != (leaf,) or leaf in path[1:]:
                raise ValueError(f"the path of {leaf!r} does not begin with it")
            for place, node in enumerate(path):
                if parents.setdefault(node, path[place + 1 :]) != path[place + 1 :]:
                    raise ValueError(f"{node!r} lies in two places")
        if sum(not above for above in parents.values()) != 1:
            raise ValueError("a dimension has one total")

    @classmethod
    def flat(cls, leaves: Iterable[str], *, total: str) -> Self:
        """Return leaves right below their total."""
        return cls({leaf: (leaf, total) for leaf in leaves})

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """Every node once, leaves and totals."""
        return tuple(dict.fromkeys(node for path in self.paths.values() for node in path))


@dataclass(frozen=True)
class Table:
    """Counts by one dimension or more, with every total.

    Attributes:
        dimensions: What the counts are told apart by.
        leaves: The counts themselves; those that are left out are 0.
    """

    dimensions: Sequence[Dimension]
    leaves: Mapping[Cell, int]

    def __post_init__(self) -> None:
        if any(count < 0 for count in self.leaves.values()):
            raise ValueError("a count is negative")

    @cached_property
    def counts(self) -> dict[Cell, int]:
        """The count of every cell, totals included.

        Complexity:
            The number of leaves times, in each dimension, the length of a path.
        """
        counts = dict.fromkeys(product(*(each.nodes for each in self.dimensions)), 0)
        for leaf, count in self.leaves.items():
            for cell in product(*self.paths(leaf)):
                counts[cell] += count
        return counts

    def paths(self, leaf: Cell) -> list[Cell]:
        """Return the way from a leaf to the total, in each dimension."""
        return [each.paths[node] for each, node in zip(self.dimensions, leaf, strict=True)]
