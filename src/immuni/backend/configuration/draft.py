"""A set of settings that is being worked on: a file that people review before it is published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import msgspec

from immuni.api import Platform, settings_faults
from immuni.backend.configuration.rules import SettingEntry, SettingsSet
from immuni.errors import ImmuniError


class InvalidDraftError(ImmuniError, ValueError):
    """A draft, or a change of one, cannot be understood; it stays as it is."""


class _EntryInFile(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    platform: Platform
    name: str
    from_build: int
    # A missing value is a mistake, null is a value: the two must not be confused.
    value: Any = msgspec.UNSET
    withdrawn: bool = False


class _DraftInFile(msgspec.Struct, forbid_unknown_fields=True):
    based_on: int
    entries: list[_EntryInFile]


@dataclass(frozen=True, slots=True)
class SettingsDraft:
    """What is to be published next.

    Attributes:
        based_on: The version that was in force when the draft was begun.
        entries: Everything that the next set holds.
    """

    based_on: int
    entries: tuple[SettingEntry, ...]

    @classmethod
    def begun_on(cls, in_force: SettingsSet) -> Self:
        """Return a draft that changes nothing yet."""
        return cls(in_force.version, in_force.entries)

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a draft's file.

        Raises:
            InvalidDraftError: It is not one; the message says where.
        """
        try:
            read = msgspec.json.decode(text, type=_DraftInFile)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidDraftError(f"not a draft of settings: {error}") from error
        return cls(read.based_on, tuple(_entry(each) for each in read.entries))

    def render(self) -> bytes:
        """Return the file: one entry after the other in a fixed order, so that changes show."""
        entries = [_in_file(each) for each in sorted(self.entries, key=_place)]
        text = msgspec.json.encode(_DraftInFile(self.based_on, entries))
        return msgspec.json.format(text, indent=2) + b"\n"

    def with_entry(self, entry: SettingEntry) -> Self:
        """Return the draft with `entry` in place of the one for the same phones, if any."""
        others = [each for each in self.entries if _place(each) != _place(entry)]
        return replace(self, entries=(*others, entry))

    def without(self, platform: Platform, name: str, starting_build: int) -> Self:
        """Return the draft without an entry.

        Raises:
            InvalidDraftError: There is none.
        """
        place = (platform, name, starting_build)
        left = tuple(each for each in self.entries if _place(each) != place)
        if len(left) == len(self.entries):
            raise InvalidDraftError(f"no {name} for {platform} from build {starting_build}")
        return replace(self, entries=left)


@dataclass(frozen=True, slots=True)
class Change:
    """What a set says otherwise than another, at one place.

    Attributes:
        before: The entry that goes; None where there was none.
        after: The entry that comes; None where there is none any longer.
    """

    before: SettingEntry | None
    after: SettingEntry | None

    @property
    def entry(self) -> SettingEntry:
        """An entry that tells the place."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change has two sides, or one")
        return found


def changes(before: Iterable[SettingEntry], after: Iterable[SettingEntry]) -> list[Change]:
    """Return what differs between two sets, by name, platform and build."""
    old = {_place(each): each for each in before}
    new = {_place(each): each for each in after}
    pairs = [Change(old.get(place), new.get(place)) for place in {**old, **new}]
    differing = [pair for pair in pairs if _content(pair.before) != _content(pair.after)]
    return sorted(differing, key=lambda each: _place(each.entry)[1:] + _place(each.entry)[:1])


def value_of(name: str, text: str) -> object:
    """Return what an operator means who types `text` as the value of a setting.

    JSON is taken as JSON; what is none, or would not be allowed, is taken as the text itself where
    that is: a telephone number needs no quotation marks.

    Raises:
        InvalidDraftError: The setting allows neither.
    """
    readings = _readings(text)
    for value in readings:
        if not settings_faults({name: value}):
            return value
    faults = "; ".join(each.fault for each in settings_faults({name: readings[0]}))
    raise InvalidDraftError(f"{name}: {faults}")


def _readings(text: str) -> Sequence[object]:
    try:
        return (msgspec.json.decode(text), text)
    except msgspec.DecodeError:
        return (text,)


_Place = tuple[Platform, str, int]


def _place(entry: SettingEntry) -> _Place:
    return entry.platform, entry.name, entry.starting_build


def _content(entry: SettingEntry | None) -> bytes | None:
    # As JSON: 1 is not true, and the order of an object's members does not count.
    if entry is None:
        return None
    return msgspec.json.encode((entry.withdrawn, entry.value), order="sorted")


def _entry(read: _EntryInFile) -> SettingEntry:
    if read.withdrawn is (read.value is not msgspec.UNSET):
        place = f"{read.platform} {read.name} from build {read.from_build}"
        raise InvalidDraftError(f"{place}: want either a value or withdrawn")
    value = None if read.withdrawn else read.value
    return SettingEntry(read.platform, read.name, read.from_build, value, read.withdrawn)


def _in_file(entry: SettingEntry) -> _EntryInFile:
    value = msgspec.UNSET if entry.withdrawn else entry.value
    return _EntryInFile(entry.platform, entry.name, entry.starting_build, value, entry.withdrawn)
