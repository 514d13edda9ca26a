"""Files and folders that only one user may read, written whole or not at all."""

import os
from pathlib import Path


def make_private_folder(folder: Path, *, uid: int = -1, gid: int = -1) -> None:
    """Create `folder`, or take it over, so that only its owner may enter it.

    Args:
        folder: Folders above it that are missing are made too, with ordinary rights.
        uid: The owner; the caller by default.
        gid: The owner's group.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    os.chown(folder, uid, gid)


def write_private(path: Path, content: bytes, *, uid: int = -1, gid: int = -1) -> None:
    """Replace the file `path` in one step by `content`, readable by its owner only.

    A crash leaves the old file or the new one, never a part.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchown(file.fileno(), uid, gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    synchronise_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Replace the file `path` in one step by `content`, which others may read.

    A crash leaves the old file or the new one, never a part.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def synchronise_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in `folder` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
