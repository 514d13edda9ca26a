"""``immuni keys``: the keys that sign chunks and settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from immuni.backend.signing import public_pem
from immuni.backend.signing.inventory import Inventory, KeyEntry, Kind, Purpose, State
from immuni.backend.signing.keyring import public_key_of
from immuni.cli.console import JsonOption, console, print_json
from immuni.clock import SystemClock
from immuni.deployment.layout import Layout
from immuni.deployment.signing_keys import add_key, keyring_of, retire_key

app = typer.Typer(no_args_is_help=True, help="Look after the keys that sign chunks and settings.")

ALGORITHM: Final = "1.2.840.10045.4.3.2"
"""ECDSA on P-256 with SHA-256, as chunk files name it."""
_FILES: Final = frozenset({"module", "pin_file", "ca", "certificate", "bearer_file"})
_WANTED: Final[Mapping[Kind, tuple[frozenset[str], frozenset[str]]]] = {
    Kind.LOCAL: (frozenset(), frozenset()),
    Kind.PKCS11: (frozenset({"module", "token", "pin_file"}), frozenset({"label"})),
    Kind.HTTPS: (frozenset({"url", "ca"}), frozenset({"certificate", "bearer_file"})),
}

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="IMMUNI_DATA_DIR", help="The data folder.")
]
PurposeArgument = Annotated[
    Purpose, typer.Argument(metavar="PURPOSE", help="What the key signs: export or settings.")
]
KindOption = Annotated[
    Kind,
    typer.Option(
        "--kind", metavar="KIND", help="What holds the private half: local, pkcs11 or https."
    ),
]
PasswordOption = Annotated[
    Path | None,
    typer.Option("--password-file", help="Encrypt a local key with the password in this file."),
]
AtOption = Annotated[
    list[str] | None,
    typer.Option(
        "--at",
        metavar="NAME=VALUE",
        help="Where the key is; repeatable. pkcs11: module, token, pin_file, and label if you "
        "like. https: url, ca, and certificate or bearer_file.",
    ),
]
PublicOption = Annotated[
    Path | None,
    typer.Option("--public-key", help="The public half, in PEM, of a signing service's key."),
]


@app.callback()
def group() -> None:
    """Look after the keys that sign chunks and settings.

    Running processes take a change over by themselves.
    """


@app.command(epilog="Example: immuni keys new export --password-file /run/secrets/export-key")
def new(
    purpose: PurposeArgument,
    *,
    kind: KindOption = Kind.LOCAL,
    password_file: PasswordOption = None,
    at: AtOption = None,
    public_key: PublicOption = None,
    data_dir: DataDir = Path("var"),
    json: JsonOption = False,
) -> None:
    """Make the first key of a purpose, or register that of a signing service.

    Exit code 1 if there is one already, or it does not sign.
    """
    place = _place(kind, at or [], password_file)
    _add(purpose, State.ACTIVE, kind, place, public_key, data_dir=data_dir, json=json)


@app.command(epilog="Example: immuni keys rotate export --data-dir ./var")
def rotate(
    purpose: PurposeArgument,
    *,
    kind: KindOption = Kind.LOCAL,
    password_file: PasswordOption = None,
    at: AtOption = None,
    public_key: PublicOption = None,
    data_dir: DataDir = Path("var"),
    json: JsonOption = False,
) -> None:
    """Make the key that follows the active one, and begin the rotation.

    From now on each chunk carries both signatures. Settings have room for one: the active key
    signs them until it is retired. Exit code 1 if a rotation is under way, or the new key does not
    sign.
    """
    place = _place(kind, at or [], password_file)
    _add(purpose, State.JOINING, kind, place, public_key, data_dir=data_dir, json=json)


@app.command(epilog="Example: immuni keys retire export --data-dir ./var")
def retire(
    purpose: PurposeArgument,
    *,
    version: Annotated[
        str | None,
        typer.Option(
            "--version",
            help="The key to retire; the active one by default. The joining one "
            "gives the rotation up.",
        ),
    ] = None,
    data_dir: DataDir = Path("var"),
    json: JsonOption = False,
) -> None:
    """End a rotation: the active key signs no more, the one that was joining takes its place.

    Exit code 1 if no key would be left.
    """
    layout = _layout(data_dir)
    _show(retire_key(layout, purpose, version, SystemClock().now()), json=json)


@app.command(name="list", epilog="Example: immuni keys list --json")
def list_keys(*, data_dir: DataDir = Path("var"), json: JsonOption = False) -> None:
    """List the keys: purpose, id, version, state, and where they are."""
    _show(keyring_of(_layout(data_dir)).inventory(), json=json)


@app.command(epilog="Example: immuni keys public export --data-dir ./var > export.pem")
def public(
    purpose: PurposeArgument, *, data_dir: DataDir = Path("var"), json: JsonOption = False
) -> None:
    """Print what phones pin: the public half of the active key, then of the one joining it."""
    layout = _layout(data_dir)
    pinned = keyring_of(layout).inventory().live(purpose)
    rows = [
        _as_json(each) | {"public_key": public_pem(public_key_of(each, layout.keys)).decode()}
        for each in pinned
    ]
    if json:
        print_json(rows)
        return
    for row in rows:
        console.print(f"# {row['id']} {row['version']} {row['algorithm']}", markup=False)
        console.print(row["public_key"], markup=False, end="")


def _add(
    purpose: Purpose,
    state: State,
    kind: Kind,
    place: Mapping[str, str],
    public_key: Path | None,
    *,
    data_dir: Path,
    json: bool,
) -> None:
    entry = add_key(
        _layout(data_dir),
        purpose,
        state,
        kind=kind,
        place=place,
        public=public_key.read_bytes() if public_key else None,
        now=SystemClock().now(),
    )
    if json:
        print_json(_as_json(entry))
    else:
        console.print(f"{entry.purpose} {entry.key_id} {entry.version} is {entry.state}.")


def _place(kind: Kind, at: Sequence[str], password_file: Path | None) -> dict[str, str]:
    place = dict(each.partition("=")[::2] for each in at)
    needed, possible = _WANTED[kind]
    if not needed <= place.keys() <= needed | possible:
        names = ", ".join(sorted(needed | possible)) or "none"
        raise typer.BadParameter(f"for {kind} want {names}", param_hint="--at")
    if password_file is not None:
        if kind is not Kind.LOCAL:
            raise typer.BadParameter("is for local keys", param_hint="--password-file")
        return {"password_file": str(password_file.resolve())}
    # Processes may run in another folder.
    return {
        name: str(Path(value).resolve()) if name in _FILES else value
        for name, value in place.items()
    }


def _layout(data_dir: Path) -> Layout:
    layout = Layout(data_dir.resolve())
    layout.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    return layout


def _as_json(entry: KeyEntry) -> dict[str, str]:
    return {
        "purpose": entry.purpose,
        "id": entry.key_id,
        "version": entry.version,
        "state": entry.state,
        "since": entry.since.isoformat(),
        "kind": entry.kind,
        "place": _where(entry),
        "algorithm": ALGORITHM,
    }


def _where(entry: KeyEntry) -> str:
    return ", ".join(f"{name}={value}" for name, value in entry.place.items())


def _show(inventory: Inventory, *, json: bool) -> None:
    if json:
        print_json([_as_json(each) for each in inventory.keys])
        return
    table = Table("purpose", "id", "version", "state", "since (UTC)", "kind", "where")
    for each in inventory.keys:
        since = f"{each.since:%Y-%m-%d %H:%M}"
        name = (each.purpose, each.key_id, each.version)
        table.add_row(*name, each.state, since, each.kind, _where(each))
    console.print(table)
