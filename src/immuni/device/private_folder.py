"""A folder that nobody but its owner may enter."""

import stat
from pathlib import Path
from typing import Final

from immuni.errors import ImmuniError

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class DataFolderError(ImmuniError, OSError):
    """The folder cannot be used for data; nothing in it was touched."""


def ensure_private(folder: Path) -> None:
    """Make `folder` where it is missing; one that is there is only looked at.

    Raises:
        DataFolderError: It cannot be made, or others may enter it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise DataFolderError(f"{folder} cannot be the data folder: {error.strerror}") from error
    if mode & _OTHERS:
        raise DataFolderError(
            f"{folder} cannot be the data folder: it has mode {mode:04o}, so that others "
            "may enter it; choose a folder of its own with --data-dir"
        )
