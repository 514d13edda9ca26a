"""What a chunk store does, and what all of them do alike through obstore."""

from typing import Protocol

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from immuni.backend.chunks.naming import ChunkMissingError, ChunkName, ChunkStoreError


class ChunkStore(Protocol):
    """Keeps chunk files durably."""

    async def write(self, name: ChunkName, data: bytes) -> None:
        """Keep `data` durably, and read it back.

        Writing the same file again changes nothing.

        Raises:
            ChunkDamagedError: `data` is not what `name` promises, or did not read back.
            ChunkStoreError: The store refused; the file may or may not be there.
        """
        ...

    async def read(self, name: ChunkName) -> bytes:
        """Return a file's bytes, with the right digest.

        Raises:
            ChunkMissingError: There is no such file.
            ChunkDamagedError: There is, with other bytes.
            ChunkStoreError: The store does not answer.
        """
        ...

    async def names(self) -> list[ChunkName]:
        """Return the names of all chunk files, by index.

        Raises:
            ChunkStoreError: The store does not answer.
        """
        ...

    async def delete(self, name: ChunkName) -> None:
        """Delete a file; one that is not there is deleted already.

        Raises:
            ChunkStoreError: The store does not answer.
        """
        ...


class ObjectStore:
    """Reading and listing through obstore, which does not depend on the kind of store."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        """Use `store`."""
        self._store = store

    async def read(self, name: ChunkName) -> bytes:
        """Return a file's bytes, with the right digest."""
        try:
            result = await self._store.get_async(name.file_name)
            data = bytes(await result.bytes_async())
        except (FileNotFoundError, NotFoundError) as error:
            raise ChunkMissingError(f"chunk {name.index} is not in the store") from error
        except (BaseError, OSError) as error:
            raise ChunkStoreError(f"chunk {name.index} cannot be read") from error
        name.check(data)
        return data

    async def names(self) -> list[ChunkName]:
        """Return the names of all chunk files, by index."""
        try:
            listing = await self._store.list_with_delimiter_async()
        except (BaseError, OSError) as error:
            raise ChunkStoreError("the chunk store cannot be listed") from error
        found = (ChunkName.parse(each["path"].rsplit("/", 1)[-1]) for each in listing["objects"])
        return sorted(name for name in found if name is not None)
