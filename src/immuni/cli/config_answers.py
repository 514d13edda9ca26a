"""How ``immuni config`` shows sets of settings, for people and for machines."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from rich.markup import escape
from rich.table import Table

from immuni.api import Platform, read_settings
from immuni.backend.configuration.draft import Change, changes
from immuni.backend.configuration.rules import SettingEntry, SettingsSet, resolve
from immuni.cli.console import console, print_json

if TYPE_CHECKING:
    from immuni.backend.configuration.store import Publication


def show_set(found: SettingsSet, *, name: str, platform: Platform | None, json: bool) -> bool:
    """Show the entries of a set; return whether there is what was asked for."""
    entries = [
        each
        for each in sorted(found.entries, key=lambda each: (each.name, each.platform))
        if name in {"", each.name} and platform in {None, each.platform}
    ]
    if json:
        print_json({"version": found.version, "entries": [_entry(each) for each in entries]})
    elif entries or not name:
        table = Table("setting", "platform", "from build", "value", title=_title(found))
        for each in entries:
            table.add_row(each.name, each.platform, str(each.starting_build), _told(each))
        console.print(table)
    return bool(entries) or not name


def show_seen_by_phone(
    found: SettingsSet, *, name: str, platform: Platform, build: int, json: bool
) -> bool:
    """Show what a phone lives by; return whether there is what was asked for."""
    published = resolve(found.entries, platform=platform, build=build)
    in_effect = msgspec.to_builtins(read_settings(published).settings)
    values = {each: value for each, value in in_effect.items() if name in {"", each}}
    if json:
        rows = [
            {"name": each, "value": value, "published": each in published}
            for each, value in values.items()
        ]
        print_json({"version": found.version, "settings": rows})
    elif values:
        table = Table("setting", "value", "from", title=_title(found))
        for each, value in values.items():
            origin = "published" if each in published else "the App's default"
            table.add_row(each, escape(_text(value)), origin)
        console.print(table)
    return bool(values)


def show_changes(
    in_force: SettingsSet, wanted: Sequence[SettingEntry], based_on: int, *, json: bool
) -> None:
    """Show what publishing `wanted` would change."""
    found = changes(in_force.entries, wanted)
    if json:
        print_json(
            {
                "in_force": in_force.version,
                "based_on": based_on,
                "changes": [_change(each) for each in found],
            }
        )
        return
    if based_on != in_force.version:
        console.print(
            f"The draft was begun on version {based_on}, but version {in_force.version} is in "
            "force: it would undo what was published meanwhile.",
            style="yellow",
        )
    if not found:
        console.print(f"No change: version {in_force.version} says the same.")
        return
    _print_changes(found)


def show_published(
    version: int, changed: Sequence[Change], dangers: Sequence[str], *, json: bool
) -> None:
    """Tell that a set is in force."""
    if json:
        print_json({"version": version, "changes": len(changed), "dangers": list(dangers)})
        return
    for danger in dangers:
        console.print(danger, style="yellow", markup=False)
    _print_changes(changed)
    console.print(f"Version {version} is in force; phones have it after an hour or two.")


def show_history(publications: "Sequence[Publication]", *, json: bool) -> None:
    """Show who published what, and why."""
    if json:
        print_json(
            [
                {
                    "version": each.version,
                    "published_at": each.published_at.isoformat(),
                    "author": each.author,
                    "login": each.login,
                    "reason": each.reason,
                    "entries": each.entry_count,
                }
                for each in publications
            ]
        )
        return
    table = Table("version", "when (UTC)", "who", "why", "entries")
    for each in publications:
        when = each.published_at.strftime("%Y-%m-%d %H:%M:%S")
        who, why = escape(each.author), escape(each.reason)
        table.add_row(str(each.version), when, who, why, str(each.entry_count))
    console.print(table)


def _print_changes(found: Sequence[Change]) -> None:
    table = Table("setting", "platform", "from build", "in force", "then")
    for each in found:
        place = each.entry
        table.add_row(
            place.name,
            place.platform,
            str(place.starting_build),
            _told(each.before),
            _told(each.after),
        )
    console.print(table)


def _change(change: Change) -> dict[str, object]:
    place = change.entry
    return {
        "name": place.name,
        "platform": place.platform,
        "from_build": place.starting_build,
        "before": _state(change.before),
        "after": _state(change.after),
    }


def _entry(entry: SettingEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "platform": entry.platform,
        "from_build": entry.starting_build,
        "withdrawn": entry.withdrawn,
        "value": entry.value,
    }


def _state(entry: SettingEntry | None) -> dict[str, object] | None:
    if entry is None:
        return None
    return {"withdrawn": entry.withdrawn, "value": entry.value}


def _told(entry: SettingEntry | None) -> str:
    if entry is None:
        return "—"
    return "withdrawn" if entry.withdrawn else escape(_text(entry.value))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _title(found: SettingsSet) -> str:
    return f"version {found.version}" if found.version else "nothing was published yet"
