"""Sequences whose items are kept in columns."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from operator import eq
from typing import Self, TypeVar, overload

Item = TypeVar("Item")


class Columns(Sequence[Item]):
    """A sequence of values, kept in columns and built one by one when asked for.

    Privacy:
        The representation shows how many there are, never one of them.
    """

    __slots__ = ()

    @abstractmethod
    def __init__(self, items: Iterable[Item] = ()) -> None:
        """Take over `items`, in their order."""

    @abstractmethod
    def _at(self, place: int) -> Item:
        """Build the value at `place`, which is not negative."""

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Item | Self:
        if isinstance(index, slice):
            return type(self)(self._at(place) for place in range(*index.indices(len(self))))
        return self._at(range(len(self))[index])

    def __iter__(self) -> Iterator[Item]:
        return map(self._at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        # Equal to a tuple of the same values, so of the same hash.
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}>"
