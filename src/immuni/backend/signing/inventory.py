"""Which signing keys there are: the inventory, a file that people can read.

Of each purpose one key is *active*; during a rotation a second one is *joining* it; *retired* ones
sign no more, but what they signed is still looked at.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self

from immuni.backend.signing.signer import SigningKeyError

_FORMAT: Final = 1
_VERSION: Final = re.compile(r"v[1-9][0-9]{0,5}")
_HEAD: Final = (
    "# The signing keys, written by `immuni keys`. Running processes read it anew when it changes."
)


class Purpose(StrEnum):
    """What a key signs."""

    EXPORT = "export"
    SETTINGS = "settings"


class Kind(StrEnum):
    """What holds the private half."""

    LOCAL = "local"
    PKCS11 = "pkcs11"
    HTTPS = "https"


class State(StrEnum):
    """Where a key stands in its life."""

    ACTIVE = "active"
    JOINING = "joining"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """One key.

    Attributes:
        purpose: What it signs.
        key_id: Name under which verifiers know it.
        version: ``v1``, ``v2`` …
        state: Where it stands.
        since: Since when.
        public: File of its public half, beside the inventory.
        kind: What holds its private half.
        place: Where that is, by kind; files are meant from the inventory's folder.
    """

    purpose: Purpose
    key_id: str
    version: str
    state: State
    since: datetime
    public: str
    kind: Kind
    place: Mapping[str, str]

    def __post_init__(self) -> None:
        """Check what a hand may have written."""
        if _VERSION.fullmatch(self.version) is None or self.since.utcoffset() is None:
            raise SigningKeyError("a key has a version like v1, and a time with its zone")

    @property
    def number(self) -> int:
        """The version as a number."""
        return int(self.version[1:])


@dataclass(frozen=True, slots=True)
class Inventory:
    """All keys, in the order in which they were made."""

    keys: Sequence[KeyEntry]

    def __post_init__(self) -> None:
        """Check that nobody could be in doubt about which key signs."""
        names = [(each.purpose, each.version) for each in self.keys]
        if len(set(names)) != len(names):
            raise SigningKeyError("the inventory names a version twice")
        for purpose in Purpose:
            for state in (State.ACTIVE, State.JOINING):
                if len(self._in(purpose, state)) > 1:
                    raise SigningKeyError(f"the inventory has two {state} keys for {purpose}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `render` wrote.

        Raises:
            SigningKeyError: It is no inventory, or of another format.
        """
        try:
            content = tomllib.loads(text)
            found, keys = content["format"], [_entry(each) for each in content.get("key", ())]
        except (ValueError, KeyError, TypeError) as error:
            raise SigningKeyError(f"no inventory of keys: {error}") from error
        if found != _FORMAT:
            raise SigningKeyError(f"the inventory has format {found}, want {_FORMAT}")
        return cls(keys)

    def render(self) -> str:
        """Return the file's text."""
        return "\n".join([_HEAD, f"format = {_FORMAT}", "", *map(_rendered, self.keys)])

    def active(self, purpose: Purpose) -> KeyEntry:
        """Return the key that signs.

        Raises:
            SigningKeyError: There is none.
        """
        found = self._in(purpose, State.ACTIVE)
        if not found:
            raise SigningKeyError(f"there is no active key for {purpose}")
        return found[0]

    def joining(self, purpose: Purpose) -> KeyEntry | None:
        """Return the key that is about to follow the active one."""
        return next(iter(self._in(purpose, State.JOINING)), None)

    def live(self, purpose: Purpose) -> Sequence[KeyEntry]:
        """Return the active key, then the one that is joining it: what phones should trust."""
        return [*self._in(purpose, State.ACTIVE), *self._in(purpose, State.JOINING)]

    def of(self, purpose: Purpose) -> Sequence[KeyEntry]:
        """Return all keys of a purpose."""
        return [each for each in self.keys if each.purpose is purpose]

    def next_version(self, purpose: Purpose) -> str:
        """Return the version that a new key gets."""
        return f"v{max((each.number for each in self.of(purpose)), default=0) + 1}"

    def require_room(self, purpose: Purpose, state: State) -> None:
        """Make sure that a key can be added.

        Raises:
            SigningKeyError: It would be one too many, or would join nothing.
        """
        if state is State.JOINING:
            self.active(purpose)
            if self.joining(purpose):
                raise SigningKeyError(f"a rotation for {purpose} is under way: retire a key first")
        elif self._in(purpose, State.ACTIVE):
            raise SigningKeyError(f"there is an active key for {purpose}: rotate it")

    def added(self, entry: KeyEntry) -> "Inventory":
        """Return the inventory with one key more.

        Raises:
            SigningKeyError: It would be one too many, or would join nothing.
        """
        self.require_room(entry.purpose, entry.state)
        return Inventory([*self.keys, entry])

    def retired(self, purpose: Purpose, version: str | None, now: datetime) -> "Inventory":
        """Return the inventory after the end of a rotation.

        Args:
            purpose: What the keys sign.
            version: The key to retire; None for the active one, whose place the joining one takes.
                Retiring the joining one gives the rotation up.
            now: When that is.

        Raises:
            SigningKeyError: There is no such key that signs, or none would be left.
        """
        active, joining = self.active(purpose), self.joining(purpose)
        if joining is None:
            raise SigningKeyError(f"this is the only key for {purpose}: rotate it first")
        leaving = active if version is None else self._live_of(purpose, version)
        staying = joining if leaving is active else active
        changes = {leaving.version: State.RETIRED, staying.version: State.ACTIVE}
        return Inventory(
            [
                _changed(each, changes, now) if each.purpose is purpose else each
                for each in self.keys
            ]
        )

    def _live_of(self, purpose: Purpose, version: str) -> KeyEntry:
        for each in self.live(purpose):
            if each.version == version:
                return each
        raise SigningKeyError(f"no key {version} for {purpose} is active or joining")

    def _in(self, purpose: Purpose, state: State) -> Sequence[KeyEntry]:
        return [each for each in self.of(purpose) if each.state is state]


def _changed(entry: KeyEntry, changes: Mapping[str, State], now: datetime) -> KeyEntry:
    state = changes.get(entry.version, entry.state)
    return entry if state is entry.state else replace(entry, state=state, since=now)


def _entry(raw: Mapping[str, Any]) -> KeyEntry:
    return KeyEntry(
        purpose=Purpose(raw["purpose"]),
        key_id=str(raw["id"]),
        version=str(raw["version"]),
        state=State(raw["state"]),
        since=datetime.fromisoformat(raw["since"]),
        public=str(raw["public"]),
        kind=Kind(raw["kind"]),
        place={str(name): str(value) for name, value in raw["place"].items()},
    )


def _rendered(entry: KeyEntry) -> str:
    # A JSON string is a TOML string, too.
    values = {
        "purpose": entry.purpose,
        "id": entry.key_id,
        "version": entry.version,
        "state": entry.state,
        "since": entry.since.isoformat(),
        "public": entry.public,
        "kind": entry.kind,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    place = ", ".join(f"{name} = {json.dumps(value)}" for name, value in entry.place.items())
    return "\n".join(["[[key]]", *lines, f"place = {{ {place} }}", ""])
