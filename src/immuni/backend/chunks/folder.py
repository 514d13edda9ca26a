"""Chunks in a folder of this machine."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final, Self

from obstore.store import LocalStore

from immuni.backend.chunks.naming import ChunkName, ChunkStoreError
from immuni.backend.chunks.store import ObjectStore

_PART: Final = ".part"


class FolderChunkStore(ObjectStore):
    """Chunks in a folder of this machine; obstore reads them, writing syncs by itself."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which exists."""
        super().__init__(LocalStore(prefix=folder))
        self._folder = folder

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Make `folder` if it does not exist, and use it.

        Raises:
            ChunkStoreError: It cannot be made.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ChunkStoreError(f"{folder}: {error.strerror}") from error
        return cls(folder)

    async def write(self, name: ChunkName, data: bytes) -> None:
        """Keep `data` durably, and read it back."""
        name.check(data)
        try:
            await asyncio.to_thread(_write_durably, self._folder / name.file_name, data)
        except OSError as error:
            raise ChunkStoreError(f"chunk {name.index} cannot be written") from error
        await self.read(name)

    async def delete(self, name: ChunkName) -> None:
        """Delete a file; one that is not there is deleted already."""
        try:
            await asyncio.to_thread((self._folder / name.file_name).unlink, missing_ok=True)
            await asyncio.to_thread(_sync_folder, self._folder)
        except OSError as error:
            raise ChunkStoreError(f"chunk {name.index} cannot be deleted") from error


def _write_durably(path: Path, data: bytes) -> None:
    """Write beside, sync, rename, sync the folder: after a crash the file is whole or not there."""
    for left_over in path.parent.glob(f".*{_PART}"):
        # Whoever writes holds the publishing lock, so this is a killed writer's.
        left_over.unlink(missing_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=_PART)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # Published data: whoever serves it may be another user.
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
