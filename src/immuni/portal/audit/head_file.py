"""The file of heads, outside the database, and the keys that sign them."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from immuni.errors import ImmuniError
from immuni.portal.audit.statements import (
    Signer,
    Statement,
    StatementForgedError,
    StatementKind,
    Verifiers,
)

_SIGNER: Final = re.compile(r"audit-heads-([1-9][0-9]{0,5})")


class HeadKeyError(ImmuniError, OSError):
    """A key of the heads is missing or damaged."""


@dataclass(frozen=True, slots=True)
class HeadsRead:
    """What files of heads say.

    Attributes:
        heads: In the order of their numbers.
        forged: Where a line is no head of ours: file and line.
    """

    heads: Sequence[Statement]
    forged: Sequence[str]

    @property
    def newest(self) -> Statement | None:
        """The last head; None where there is none."""
        return self.heads[-1] if self.heads else None


def append_line(file: Path, line: str) -> None:
    """Append a line so that it outlives a power cut.

    A line that a crash left unfinished is ended first, so that it damages no other.

    Raises:
        OSError: The line, or its end, is not on the disk.
    """
    is_new = not file.exists()
    if is_new:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        content = ("\n" if torn else "").encode() + line.encode() + b"\n"
        if os.write(descriptor, content) != len(content):
            raise OSError(f"{file}: only a part was written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        _synchronise(file.parent)


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_heads(files: Sequence[Path], verifiers: Verifiers) -> HeadsRead:
    """Read files of heads; one that is not there holds none."""
    heads, forged = [], []
    for file in files:
        lines = file.read_text("utf-8", "replace").splitlines() if file.exists() else []
        for place, line in enumerate(lines, start=1):
            try:
                statement = verifiers.read(line)
            except StatementForgedError:
                forged.append(f"{file}, line {place}")
                continue
            if statement.kind is StatementKind.HEAD:
                heads.append(statement)
    return HeadsRead(sorted(heads, key=lambda head: (head.number, head.at)), forged)


def read_signer(folder: Path) -> Signer:
    """Return the newest key that signs heads, of those in a folder.

    Raises:
        HeadKeyError: There is none, or it is damaged.
    """
    keys = {int(m[1]): f for f in folder.glob("*.key") if (m := _SIGNER.fullmatch(f.stem))}
    if not keys:
        raise HeadKeyError(f"{folder}: no key audit-heads-1.key, which signs the audit trail")
    file = keys[max(keys)]
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except ValueError as error:
        raise HeadKeyError(f"{file}: no private key in PEM") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise HeadKeyError(f"{file}: want an Ed25519 key")
    return Signer(file.stem, key)


def read_verifiers(files: Sequence[Path]) -> Verifiers:
    """Return the public keys of heads, named as their files are.

    Raises:
        HeadKeyError: One is damaged.
    """
    keys = {}
    for file in files:
        try:
            key = load_pem_public_key(file.read_bytes())
        except ValueError as error:
            raise HeadKeyError(f"{file}: no public key in PEM") from error
        if not isinstance(key, Ed25519PublicKey):
            raise HeadKeyError(f"{file}: want an Ed25519 key")
        keys[file.stem] = key
    return Verifiers(keys)


def public_key_files(folder: Path) -> list[Path]:
    """Return the files of the public keys in a folder."""
    return sorted(file for file in folder.glob("*.pem") if _SIGNER.fullmatch(file.stem))
