"""Chunks in a bucket of any S3-compatible store."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Self

from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import MemoryStore, S3Store

from immuni.backend.chunks.naming import ChunkName, ChunkStoreError
from immuni.backend.chunks.store import ObjectStore


class BucketChunkStore(ObjectStore):
    """Chunks in a bucket; the store itself makes them durable."""

    def __init__(self, store: MemoryStore | S3Store) -> None:
        """Use `store`; one in memory is for trials, and durable for as long as it lives."""
        super().__init__(store)
        self._bucket = store

    @classmethod
    def open(cls, url: str, options: Mapping[str, str]) -> Self:
        """Use the bucket and prefix of `url`.

        Raises:
            ChunkStoreError: The options do not fit.
        """
        try:
            return cls(S3Store.from_url(url, config=dict(options)))  # type: ignore[arg-type]  # obstore checks the names
        except (BaseError, ValueError, TypeError) as error:
            raise ChunkStoreError("the S3 options do not fit") from error

    async def write(self, name: ChunkName, data: bytes) -> None:
        """Keep `data` durably, and read it back."""
        name.check(data)
        try:
            # An earlier run may have written it and been killed; reading back tells whether whole.
            with suppress(AlreadyExistsError):
                await self._bucket.put_async(name.file_name, data, mode="create")
        except (BaseError, OSError) as error:
            raise ChunkStoreError(f"chunk {name.index} cannot be written") from error
        await self.read(name)

    async def delete(self, name: ChunkName) -> None:
        """Delete a file; one that is not there is deleted already."""
        try:
            await self._bucket.delete_async(name.file_name)
        except (FileNotFoundError, NotFoundError):
            return
        except (BaseError, OSError) as error:
            raise ChunkStoreError(f"chunk {name.index} cannot be deleted") from error
