"""Making, rotating and retiring the signing keys of a data folder."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from immuni.backend.signing import (
    LocalKeySigner,
    SigningKeyError,
    create_signing_key,
    public_pem,
    read_public_key,
)
from immuni.backend.signing.inventory import Inventory, KeyEntry, Kind, Purpose, State
from immuni.backend.signing.keyring import Keyring, open_signer, read_password
from immuni.deployment.layout import Layout
from immuni.deployment.private_files import synchronise_folder, write_private
from immuni.errors import ImmuniError

EXPORT_KEY_ID: Final = "222"
_PROBE: Final = b"immuni keys: a new key proves that it signs"


def keyring_of(layout: Layout) -> Keyring:
    """Return the keys of a data folder, those of an earlier release included."""
    return Keyring(layout.key_inventory, _adopted(layout))


def ensure_signing_keys(layout: Layout, now: datetime) -> None:
    """Make the two keys of a new folder, and take over those of an earlier release."""
    with _changing(layout) as inventory:
        missing = [_first(each, now) for each in Purpose if not inventory.of(each)]
        adopted = inventory.keys if not layout.key_inventory.exists() else ()
        for entry in (*adopted, *missing):
            _write_public(layout.keys / entry.public, _made(entry, layout.keys, None))
        if adopted or missing:
            _write(layout, Inventory([*inventory.keys, *missing]))


def add_key(
    layout: Layout,
    purpose: Purpose,
    state: State,
    *,
    kind: Kind,
    place: Mapping[str, str],
    public: bytes | None,
    now: datetime,
) -> KeyEntry:
    """Make a key, or register that of a service, and see it sign before it counts.

    Args:
        layout: The data folder.
        purpose: What it will sign.
        state: Active where there is none yet, joining for a rotation.
        kind: What holds it.
        place: Where that is; the file of a local key is named here.
        public: The public half of a service's key, in PEM.
        now: When it was made.

    Raises:
        SigningKeyError: It would be one too many, or cannot be used; the inventory is as it was.
        SigningFailedError: It does not sign; the inventory is as it was.
    """
    with _changing(layout) as inventory:
        inventory.require_room(purpose, state)
        entry = _described(inventory, purpose, state, kind=kind, place=place, now=now)
        changed = inventory.added(entry)
        pem = _made(entry, layout.keys, public)
        public_file = layout.keys / entry.public
        _write_public(public_file, pem)
        try:
            open_signer(entry, layout.keys).sign(_PROBE)
        except ImmuniError:
            public_file.unlink()
            raise
        _write(layout, changed)
    return entry


def retire_key(layout: Layout, purpose: Purpose, version: str | None, now: datetime) -> Inventory:
    """End a rotation; see `Inventory.retired`."""
    with _changing(layout) as inventory:
        changed = inventory.retired(purpose, version, now)
        _write(layout, changed)
    return changed


def private_key_files(layout: Layout, purpose: Purpose) -> list[Path]:
    """Return the private key files in the data folder, retired ones included."""
    return [
        layout.keys / each.place["file"]
        for each in keyring_of(layout).inventory().of(purpose)
        if each.kind is Kind.LOCAL
    ]


def public_key_files(layout: Layout) -> list[Path]:
    """Return the files of all public halves."""
    return [layout.keys / each.public for each in keyring_of(layout).inventory().keys]


def export_public_key(layout: Layout) -> Path:
    """Return the file of the public half of the key that signs chunks, or will be the first to."""
    live = keyring_of(layout).inventory().live(Purpose.EXPORT)
    return layout.keys / live[0].public if live else layout.export_public_key


def signing_key_files(layout: Layout) -> list[Path]:
    """Return the private key files that must be there."""
    inventory = keyring_of(layout).inventory()
    return [
        layout.keys / each.place["file"]
        for purpose in Purpose
        for each in inventory.live(purpose)
        if each.kind is Kind.LOCAL
    ]


@contextmanager
def _changing(layout: Layout) -> Iterator[Inventory]:
    """Be the only one who changes the inventory."""
    descriptor = os.open(layout.keys, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield keyring_of(layout).inventory()
    finally:
        os.close(descriptor)


def _write(layout: Layout, inventory: Inventory) -> None:
    write_private(layout.key_inventory, inventory.render().encode())
    synchronise_folder(layout.keys)


def _adopted(layout: Layout) -> Inventory:
    """Return the keys of an earlier release, which had no inventory."""
    firsts = [_first(each, datetime.fromtimestamp(0, UTC)) for each in Purpose]
    return Inventory([each for each in firsts if (layout.keys / each.place["file"]).exists()])


def _first(purpose: Purpose, now: datetime) -> KeyEntry:
    return _described(Inventory(()), purpose, State.ACTIVE, kind=Kind.LOCAL, place={}, now=now)


def _write_public(path: Path, pem: bytes) -> None:
    write_private(path, pem)
    path.chmod(0o644)


def _described(
    inventory: Inventory,
    purpose: Purpose,
    state: State,
    *,
    kind: Kind,
    place: Mapping[str, str],
    now: datetime,
) -> KeyEntry:
    version = inventory.next_version(purpose)
    # Phones find a chunk's key by id and version, that of the settings by its id alone.
    key_id = EXPORT_KEY_ID if purpose is Purpose.EXPORT else f"settings-{version[1:]}"
    name = f"export-{key_id}-{version}" if purpose is Purpose.EXPORT else key_id
    own: Mapping[str, str] = {}
    if kind is Kind.LOCAL:
        own = {"file": f"{name}.key"}
    elif kind is Kind.PKCS11 and "label" not in place:
        own = {"label": name}
    return KeyEntry(
        purpose=purpose,
        key_id=key_id,
        version=version,
        state=state,
        since=now,
        public=f"{name}.pem",
        kind=kind,
        place={**place, **own},
    )


def _made(entry: KeyEntry, folder: Path, public: bytes | None) -> bytes:
    match entry.kind:
        case Kind.LOCAL:
            return _made_local(entry, folder)
        case Kind.PKCS11:
            # The library of tokens is loaded where there is one.
            from immuni.backend.signing.token import TokenSigner, token_key  # noqa: PLC0415

            key = token_key(entry.place, folder)
            made = TokenSigner.create(key, key_id=entry.key_id, key_version=entry.version)
            return public_pem(made.public_key)
        case Kind.HTTPS:
            if public is None:
                raise SigningKeyError("the key of a signing service wants its public half")
            return public_pem(read_public_key(public))


def _made_local(entry: KeyEntry, folder: Path) -> bytes:
    private = folder / entry.place["file"]
    password_file = entry.place.get("password_file")
    password = read_password(folder / password_file) if password_file else None
    if not private.exists():
        create_signing_key(private, password=password)
    # One that an interrupted attempt left behind signs as well as a new one.
    signer = LocalKeySigner.read(private, key_id=entry.key_id, password=password)
    return signer.public_pem()
