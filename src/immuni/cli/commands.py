"""Which commands there are; the module of each is imported when somebody asks for it.

Every process of a running system begins on the command line: what one command needs, the others
should not have to wait for.
"""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group


@dataclass(frozen=True, slots=True)
class Alone:
    """A command that belongs to no group: a function of that name, in a module.

    Attributes:
        module: Where the function is, within this package.
        example: A use of it.
        hidden: Whether the list of commands leaves it out.
    """

    module: str
    example: str
    hidden: bool = False

    def load(self, name: str) -> TyperCommand:
        """Import the command."""
        function: Callable[..., Any] = getattr(import_module(f"immuni.cli.{self.module}"), name)
        app = typer.Typer(add_completion=False)
        app.command(epilog=f"Example: {self.example}", hidden=self.hidden)(function)
        return cast("TyperCommand", get_command(app))


@dataclass(frozen=True, slots=True)
class Group:
    """A group of commands.

    Attributes:
        module: Where it is, within this package; by default the module of its name.
    """

    module: str = ""

    def load(self, name: str) -> TyperGroup:
        """Import the group."""
        group = get_group(import_module(f"immuni.cli.{self.module or name}").app)
        group.name = name
        return group


COMMANDS: Final[Mapping[str, Alone | Group]] = {
    "up": Alone("up", "immuni up --data-dir ./var --base-port 8400"),
    "demo": Alone("demo", "immuni demo --json"),
    "doctor": Alone("doctor", "immuni doctor --data-dir ./var"),
    "decommission": Alone("decommission", "immuni decommission --data-dir ./var"),
    "match": Alone("match", "immuni match --export chunk.zip --sightings heard.csv"),
    "serve": Alone("up", "immuni serve get --config ./immuni.toml", hidden=True),
    # This package has an `app` of its own, so the module is called otherwise.
    "app": Group("device_app"),
    **dict.fromkeys(
        (
            *("device", "export", "opendata", "otp", "portal", "key", "keys", "radio", "risk"),
            *("jobs", "audit", "certs", "config", "settings"),
        ),
        Group(),
    ),
}


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - what typer hands on
        super().__init__(**attributes)
        # Nobody adds to it.
        self.commands = cast("MutableMapping[str, Any]", _OnDemand())


class _OnDemand(Mapping[str, TyperCommand | TyperGroup]):
    """The commands by name, each imported when it is first looked at."""

    def __init__(self) -> None:
        self._loaded: dict[str, TyperCommand | TyperGroup] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._loaded:
            self._loaded[name] = COMMANDS[name].load(name)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)
