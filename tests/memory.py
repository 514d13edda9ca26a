"""Temporary folders in memory, where the machine has room for them.

A run makes and removes some hundred databases and data folders, of a thousand small files each. On
a disk that takes longer than most tests; none of them has to outlive the run.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folders in it have names of their own
# Several times what a whole run needs; containers often have 64 MiB.
_WANTED_BYTES: Final = 4 * 2**30


def keep_temporary_files_in_memory() -> None:
    """Let this process and those that it starts make their temporary folders in memory.

    Nothing happens where there is too little room, or where somebody chose a place already.
    """
    if "TMPDIR" not in os.environ and _has_room():
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)


def temporary_files_are_in_memory() -> bool:
    """Tell whether temporary folders are made in memory now."""
    return Path(tempfile.gettempdir()).is_relative_to(_MEMORY)


def _has_room() -> bool:
    try:
        told = os.statvfs(_MEMORY)
    except FileNotFoundError:
        return False
    return os.access(_MEMORY, os.W_OK) and told.f_bavail * told.f_frsize >= _WANTED_BYTES
