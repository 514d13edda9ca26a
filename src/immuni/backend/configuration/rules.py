"""Which value a phone gets, and which sets may be published."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from immuni.api import Platform, settings_faults
from immuni.api.limits import MAX_BUILD


@dataclass(frozen=True, slots=True)
class SettingEntry:
    """A setting's value for one platform, from one build on.

    Attributes:
        platform: Phones that get it.
        name: Name of the setting.
        starting_build: First build that gets it.
        value: A JSON value; of no meaning where `withdrawn`.
        withdrawn: From `starting_build` on there is no value: phones use their own default.
    """

    platform: Platform
    name: str
    starting_build: int
    value: object = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class SettingsSet:
    """Everything that was published as one version.

    Attributes:
        version: Counted up from 1; 0 where nothing was published yet.
        entries: In no particular order.
    """

    version: int
    entries: tuple[SettingEntry, ...]


UNPUBLISHED = SettingsSet(0, ())
"""What is served before the first publication: phones keep to their own defaults."""


def resolve(
    entries: Iterable[SettingEntry], *, platform: Platform, build: int
) -> dict[str, object]:
    """Return the settings for one build, by name.

    For each name the entry with the highest `starting_build` up to `build` wins; if that one
    withdraws the setting, the name is absent.
    """
    winners: dict[str, SettingEntry] = {}
    for entry in sorted(entries, key=lambda each: each.starting_build):
        if entry.platform is platform and entry.starting_build <= build:
            winners[entry.name] = entry
    return {name: each.value for name, each in sorted(winners.items()) if not each.withdrawn}


def set_faults(entries: Sequence[SettingEntry]) -> list[str]:
    """Return everything that forbids publishing `entries` as a set, each in one sentence."""
    faults = [fault for entry in entries for fault in _entry_faults(entry)]
    places = Counter((each.platform, each.name, each.starting_build) for each in entries)
    faults += [
        f"{platform} {name} from build {build}: given {count} times"
        for (platform, name, build), count in places.items()
        if count > 1
    ]
    return faults


def _entry_faults(entry: SettingEntry) -> list[str]:
    place = f"{entry.platform} {entry.name} from build {entry.starting_build}"
    faults = []
    if not 1 <= entry.starting_build <= MAX_BUILD:
        faults.append(f"{place}: the build must be in 1..{MAX_BUILD}")
    if not entry.withdrawn:
        found = settings_faults({entry.name: entry.value})
        faults += [f"{place}: {each.fault}" for each in found]
        if not found and _holds_nul(entry.value):
            faults.append(f"{place}: a text holds the character U+0000, which cannot be kept")
    return faults


def _holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case Mapping():
            return any(_holds_nul(each) for pair in value.items() for each in pair)
        case list() | tuple():
            return any(_holds_nul(each) for each in value)
        case _:
            return False
