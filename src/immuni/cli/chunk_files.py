"""Files that commands are given: read whole, but never more than a chunk may have."""

from pathlib import Path
from typing import Annotated

import typer

from immuni.errors import ImmuniError
from immuni.export import (
    MAX_EXPORT_BYTES,
    Export,
    InvalidVerificationKeyError,
    VerificationKey,
    read_export,
    read_unverified_export,
)

ChunkFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A TEK Chunk file.")]


class UnreadableFileError(ImmuniError, OSError):
    """A file cannot be read; nothing was done."""


def read_file(path: Path, *, max_bytes: int = MAX_EXPORT_BYTES) -> bytes:
    """Return the content of `path`; of a longer file one byte more than `max_bytes`.

    Raises:
        UnreadableFileError: The system refused.
    """
    try:
        with path.open("rb") as file:
            # Enough for the caller to refuse it: the file may be a device that never ends.
            return file.read(max_bytes + 1)
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read: {error.strerror}") from error


def read_verification_key(path: Path) -> VerificationKey:
    """Return the public key in the PEM file `path`, under whatever id a file names it.

    Raises:
        UnreadableFileError: The system refused.
        InvalidVerificationKeyError: The file holds no public key on P-256.
    """
    try:
        return VerificationKey.from_pem(read_file(path))
    except InvalidVerificationKeyError as error:
        raise InvalidVerificationKeyError(f"{path}: {error}") from error


def read_chunk(data: bytes, key: Path | None) -> Export:
    """Read a chunk, verified where a key is given.

    Raises:
        ExportError: The chunk is damaged or not signed by the key.
        InvalidVerificationKeyError: The file `key` holds no public key on P-256.
        UnreadableFileError: The system refused to read `key`.
    """
    if key is None:
        return read_unverified_export(data)
    return read_export(data, [read_verification_key(key)])
