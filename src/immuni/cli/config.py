"""``immuni config``: what phones are told, who changed it and why; drafts, publishing, rollback."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias, TypeVar

import typer

from immuni.api import Platform
from immuni.api.limits import MAX_BUILD
from immuni.backend.configuration.dangers import new_dangers
from immuni.backend.configuration.draft import InvalidDraftError, SettingsDraft, changes, value_of
from immuni.backend.configuration.rules import SettingEntry, SettingsSet
from immuni.cli.config_answers import (
    show_changes,
    show_history,
    show_published,
    show_seen_by_phone,
    show_set,
)
from immuni.cli.console import ANSWER_IS_NO, ConfigOption, JsonOption, print_error
from immuni.deployment.private_files import write_whole

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import TupleRow

app = typer.Typer(no_args_is_help=True, help="Look after the settings that phones get.")

T = TypeVar("T")
_Connection: TypeAlias = "AsyncConnection[TupleRow]"
_DRAFT: Final = Path("settings-draft.json")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="IMMUNI_DATA_DIR", help="The data folder of the running system."
    ),
]
DraftOption = Annotated[
    Path, typer.Option("--draft", dir_okay=False, help="The file of the draft.")
]
VersionOption = Annotated[
    int | None, typer.Option("--version", help="A set that was published, by its version.")
]
PlatformOption = Annotated[
    Platform | None,
    typer.Option("--platform", metavar="|".join(Platform), help="One platform only."),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the history.")]
AuthorOption = Annotated[
    str, typer.Option("--author", help="Who; by default the login name on this machine.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", help="Publish although it does to phones what was warned of.")
]


@app.callback()
def group() -> None:
    """Look after the Configuration Settings: what every phone is told, per platform and build."""


@app.command(epilog="Example: immuni config get --platform android --build 120")
def get(
    name: Annotated[str | None, typer.Argument(help="One setting only.")] = None,
    *,
    platform: PlatformOption = None,
    build: Annotated[
        int | None, typer.Option("--build", min=1, max=MAX_BUILD, help="What this build gets.")
    ] = None,
    version: VersionOption = None,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show the set in force; with --platform and --build, what such a phone lives by.

    Exit code 1 if there is no such setting or version.
    """
    if build is not None and platform is None:
        raise typer.BadParameter("goes with --platform", param_hint="--build")
    found = _ask(config, data_dir, lambda connection: _set(connection, version))
    name = name or ""
    if platform is None or build is None:
        shown = show_set(found, name=name, platform=platform, json=json)
    else:
        shown = show_seen_by_phone(found, name=name, platform=platform, build=build, json=json)
    if not shown:
        print_error(f"no setting {name} in version {found.version}")
        raise typer.Exit(ANSWER_IS_NO)


@app.command(name="set", epilog="Example: immuni config set minimum_build_version 120")
def set_value(  # noqa: PLR0913 - one parameter for each option
    name: Annotated[str, typer.Argument(help="The setting.")],
    value: Annotated[
        str | None, typer.Argument(help="Its value, as JSON or as plain text.")
    ] = None,
    *,
    platform: PlatformOption = None,
    from_build: Annotated[
        int,
        typer.Option("--from-build", min=1, max=MAX_BUILD, help="The first build that gets it."),
    ] = 1,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Builds from there on live by their own default.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take what is said from there on out of the set.")
    ] = False,
    draft: DraftOption = _DRAFT,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change one setting in the draft; the first change begins one on the set in force.

    Phones get nothing of it before it is published. Without --platform it is for both.
    """
    if [value is not None, withdraw, remove].count(True) != 1:
        raise typer.BadParameter("want a value, --withdraw or --remove", param_hint="VALUE")
    in_force = _ask(config, data_dir, lambda connection: _set(connection, None))
    changed = _read(draft) if draft.exists() else SettingsDraft.begun_on(in_force)
    for each in [platform] if platform else list(Platform):
        if remove:
            changed = changed.without(each, name, from_build)
        else:
            meant = None if value is None else value_of(name, value)
            changed = changed.with_entry(SettingEntry(each, name, from_build, meant, withdraw))
    write_whole(draft, changed.render())
    show_changes(in_force, changed.entries, changed.based_on, json=json)


@app.command(epilog="Example: immuni config diff --version 11")
def diff(
    *,
    version: VersionOption = None,
    draft: DraftOption = _DRAFT,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show what publishing the draft, or an old version again, would change."""
    in_force = _ask(config, data_dir, lambda connection: _set(connection, None))
    if version is None:
        wanted = _read(draft)
        show_changes(in_force, wanted.entries, wanted.based_on, json=json)
    else:
        old = _ask(config, data_dir, lambda connection: _set(connection, version))
        show_changes(in_force, old.entries, in_force.version, json=json)


@app.command(
    name="publish", epilog="Example: immuni config publish --reason 'builds before 120 crash'"
)
def publish_draft(
    *,
    reason: ReasonOption,
    author: AuthorOption = "",
    yes: YesOption = False,
    draft: DraftOption = _DRAFT,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put the draft in force as a new version, and remove its file.

    Exit code 1 if a value is not allowed (all faults are told), if another set was published since
    the draft was begun, if nothing would change, or if a danger was told and --yes is missing.
    """
    wanted = _read(draft)
    order = _Order(wanted.entries, wanted.based_on, author or getpass.getuser(), reason, yes)
    _publish(order, config, data_dir, json=json)
    draft.unlink()


@app.command(name="history", epilog="Example: immuni config history --json")
def show_publications(
    *, data_dir: DataDir = Path("var"), config: ConfigOption = None, json: JsonOption = False
) -> None:
    """List what was published, the newest first: version, when (UTC), who, why."""
    # The database's driver; commands that need none start faster.
    from immuni.backend.configuration.store import history  # noqa: PLC0415

    show_history(_ask(config, data_dir, history), json=json)


@app.command(epilog="Example: immuni config rollback 11 --reason 'version 12 warns nobody'")
def rollback(
    version: Annotated[int, typer.Argument(help="The version to go back to.")],
    *,
    reason: ReasonOption,
    author: AuthorOption = "",
    yes: YesOption = False,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Publish an old set again, as a new version: phones refuse a lower one than they have.

    Exit codes as with `immuni config publish`.
    """
    old = _ask(config, data_dir, lambda connection: _set(connection, version))
    order = _Order(old.entries, None, author or getpass.getuser(), reason, yes)
    _publish(order, config, data_dir, json=json)


@dataclass(frozen=True, slots=True)
class _Order:
    """A set that somebody wants to be published.

    Attributes:
        entries: The whole set.
        based_on: The version that its author had in view; None for the one in force.
        author: Who.
        reason: Why.
        dangers_meant: Whether what it does to phones is meant.
    """

    entries: Sequence[SettingEntry]
    based_on: int | None
    author: str
    reason: str
    dangers_meant: bool


def _publish(order: _Order, config: Path | None, data_dir: Path, *, json: bool) -> None:
    from immuni.backend.configuration.store import (  # noqa: PLC0415 - as above
        InvalidSettingsError,
        load_newest,
        publish,
        server_time,
    )

    for option, text in (("--reason", order.reason), ("--author", order.author)):
        if not text.strip():
            raise typer.BadParameter("must not be empty", param_hint=option)

    async def put_in_force(connection: _Connection) -> tuple[int, SettingsSet, list[str]]:
        in_force = await load_newest(connection)
        told = _vetted(order, in_force)
        version = await publish(
            connection,
            order.entries,
            author=order.author,
            reason=order.reason,
            now=await server_time(connection),
            based_on=in_force.version,
        )
        return version, in_force, told

    try:
        version, before, told = _ask(config, data_dir, put_in_force)
    except InvalidSettingsError as error:
        for fault in error.faults:
            print_error(fault)
        raise typer.Exit(ANSWER_IS_NO) from error
    show_published(version, changes(before.entries, order.entries), told, json=json)


def _vetted(order: _Order, in_force: SettingsSet) -> list[str]:
    """Return the dangers that are meant.

    Raises:
        StaleDraftError: Another set was published meanwhile.
        InvalidDraftError: Nothing would change.
        typer.Exit: There is a danger that was not said to be meant.
    """
    from immuni.backend.configuration.store import StaleDraftError  # noqa: PLC0415 - as above

    if order.based_on not in {None, in_force.version}:
        raise StaleDraftError(
            f"the draft was begun on version {order.based_on}, but version {in_force.version} is "
            "in force: look at `immuni config diff`, then set based_on in its file, or begin anew"
        )
    if not changes(in_force.entries, order.entries):
        raise InvalidDraftError(f"nothing would change: version {in_force.version} says the same")
    told = new_dangers(in_force.entries, order.entries)
    if told and not order.dangers_meant:
        for danger in told:
            print_error(danger)
        print_error("nothing was published; with --yes it is, if that is what you want")
        raise typer.Exit(ANSWER_IS_NO)
    return told


def _ask(config: Path | None, data_dir: Path, question: Callable[[_Connection], Awaitable[T]]) -> T:
    # The deployment knows every part of the system; commands that need none of it start faster.
    from immuni.deployment.settings_author import author_connection  # noqa: PLC0415

    async def ask() -> T:
        async with author_connection(config, data_dir) as connection:
            return await question(connection)

    return asyncio.run(ask())


async def _set(connection: _Connection, version: int | None) -> SettingsSet:
    from immuni.backend.configuration.store import load_newest, load_version  # noqa: PLC0415 - as above

    if version is None:
        return await load_newest(connection)
    return await load_version(connection, version)


def _read(draft: Path) -> SettingsDraft:
    try:
        return SettingsDraft.parse(draft.read_bytes())
    except FileNotFoundError as error:
        message = f"{draft}: no such file; `immuni config set` begins a draft"
        raise InvalidDraftError(message) from error
    except InvalidDraftError as error:
        raise InvalidDraftError(f"{draft}: {error}") from error
