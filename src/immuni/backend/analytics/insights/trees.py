"""Nodes below nodes, from all down to the single province: what figures are told apart by.

The parts of a node are shown only where it is shown itself, and are decided as if everybody knew
its figures. So the parts of one node say nothing about those of another, and what is hidden in a
small province never hides a region.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from immuni.api import ProvinceCode, Territory

ALL: Final = "all"
"""The node above all others."""


@dataclass(frozen=True)
class Tree:
    """Nodes, and which lie below which.

    Attributes:
        paths: For each leaf the nodes above it: itself first, `ALL` last.
    """

    paths: Mapping[str, tuple[str, ...]]

    @classmethod
    def flat(cls, leaves: Iterable[str]) -> Self:
        """Return leaves right below all."""
        return cls({leaf: (leaf, ALL) for leaf in leaves})

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """The nodes right below each that has some; each comes after those above it."""
        parts: dict[str, dict[str, None]] = {ALL: {}}
        for path in self.paths.values():
            for lower, upper in zip(path[-2::-1], path[:0:-1], strict=True):
                parts.setdefault(upper, {})[lower] = None
        return {node: tuple(below) for node, below in parts.items()}

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """Every node once."""
        return (ALL, *(node for below in self.parts.values() for node in below))

    def part_of(self, node: str, leaf: str) -> str | None:
        """Return which part of a node a leaf belongs to; None where it lies elsewhere."""
        path = self.paths[leaf]
        place = path.index(node) if node in path else 0
        return path[place - 1] if place else None


def place_tree(territory: Territory, seen: Iterable[str]) -> Tree:
    """Return provinces in their regions, and abroad.

    A code that is not of the territory, left from an earlier one, has no region.
    """
    paths = {}
    for code in sorted(territory.codes | set(seen)):
        region = territory.region_of(ProvinceCode(code)) if code in territory.codes else None
        paths[code] = (code, ALL) if region is None else (code, region, ALL)
    return Tree(paths)
