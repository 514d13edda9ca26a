"""What a draft is, how it changes, and what becomes of it when another set was published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from immuni.api import Platform
from immuni.api.settings_authoring import PublishedEntry, PublishedSettings

Place = tuple[str, Platform, int]
"""Name, platform and first build: what a set says only once."""


class State(StrEnum):
    """Where a proposal is."""

    OPEN = "open"
    APPROVED = "approved"
    """The service was asked to publish it, and its answer is not known yet."""
    PUBLISHED = "published"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    STALE = "stale"
    """Its author began anew, on a set that was published since."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A set that somebody works on.

    Attributes:
        based_on: The version on which it was begun.
        entries: Everything that it holds.
    """

    based_on: int
    entries: tuple[PublishedEntry, ...]

    @classmethod
    def begun_on(cls, found: PublishedSettings) -> Self:
        """Return a draft that changes nothing yet."""
        return cls(found.version, found.entries)

    def with_entries(self, entries: Iterable[PublishedEntry]) -> Self:
        """Return the draft with other entries in their places."""
        held = places(self.entries) | places(entries)
        return replace(self, entries=tuple(held.values()))

    def without(self, gone: Iterable[Place]) -> Self:
        """Return the draft without what stands in some places."""
        held = places(self.entries)
        for place in gone:
            held.pop(place, None)
        return replace(self, entries=tuple(held.values()))

    def as_in(self, base: PublishedSettings, place: Place) -> Self:
        """Return the draft with one place as it was at the beginning."""
        before = places(base.entries).get(place)
        return self.without([place]) if before is None else self.with_entries([before])


@dataclass(frozen=True, slots=True)
class Conflict:
    """A place that two people changed, each otherwise; None where there is no entry."""

    place: Place
    before: PublishedEntry | None
    theirs: PublishedEntry | None
    mine: PublishedEntry | None


@dataclass(frozen=True, slots=True)
class Merge:
    """A draft upon another set.

    Attributes:
        draft: The other set, with the draft's own changes.
        conflicts: Where the draft's own change takes the place of another one.
    """

    draft: Draft
    conflicts: Sequence[Conflict]


def places(entries: Iterable[PublishedEntry]) -> dict[Place, PublishedEntry]:
    """Return entries by their place."""
    return {place_of(each): each for each in entries}


def place_of(entry: PublishedEntry) -> Place:
    """Return where an entry stands."""
    return entry.name, entry.platform, entry.from_build


def merged(base: PublishedSettings, mine: Draft, theirs: PublishedSettings) -> Merge:
    """Return a draft as its author would have made it upon a set that was published meanwhile.

    Args:
        base: The set on which the draft was begun.
        mine: The draft.
        theirs: The set in force now.
    """
    before, own, other = places(base.entries), places(mine.entries), places(theirs.entries)
    result, conflicts = dict(other), []
    for place in sorted(before.keys() | own.keys()):
        was, wanted, now = before.get(place), own.get(place), other.get(place)
        if wanted == was:
            continue
        if now not in (was, wanted):
            conflicts.append(Conflict(place, was, now, wanted))
        if wanted is None:
            result.pop(place, None)
        else:
            result[place] = wanted
    return Merge(Draft(theirs.version, tuple(result.values())), conflicts)
