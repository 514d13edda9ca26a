"""Sightings and preliminary keys in CSV files."""

from pathlib import Path
from typing import Final

from immuni.cli.chunk_files import read_file
from immuni.crypto.preliminary import PreliminaryDiagnosisKey
from immuni.matching import (
    MalformedTableError,
    RecordedSighting,
    read_preliminary_keys,
    read_sightings,
)

_MAX_BYTES: Final = 512 * 1024 * 1024
"""Some five million rows."""


def read_sightings_file(path: Path) -> list[RecordedSighting]:
    """Read the sightings in the CSV file `path`.

    Raises:
        MalformedTableError: A column is missing or a row is wrong.
        UnreadableFileError: The system refused.
    """
    return read_sightings(_text(path))


def read_preliminary_keys_file(path: Path) -> list[PreliminaryDiagnosisKey]:
    """Read the keys of April 2020 in the CSV file `path`.

    Raises:
        MalformedTableError: A column is missing or a row is wrong.
        UnreadableFileError: The system refused.
    """
    return read_preliminary_keys(_text(path))


def _text(path: Path) -> str:
    data = read_file(path, max_bytes=_MAX_BYTES)
    if len(data) > _MAX_BYTES:
        raise MalformedTableError(f"{path} exceeds {_MAX_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MalformedTableError(f"{path} is not UTF-8") from error
