"""Chunks in a bucket of any S3-compatible store."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store

from immuni.backend.chunks.naming import ChunkName, ChunkStoreError
from immuni.backend.chunks.store import ObjectStore

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

_CONNECT_TIMEOUT: Final = timedelta(seconds=5)
# A chunk of some megabytes over a slow line.
_TIMEOUT: Final = timedelta(seconds=60)
_RETRIES: Final = 3
_RETRY_TIMEOUT: Final = timedelta(seconds=30)


class BucketChunkStore(ObjectStore):
    """Chunks in a bucket; the store itself makes them durable."""

    def __init__(self, store: S3Store) -> None:
        """Use `store`."""
        super().__init__(store)
        self._bucket = store

    @classmethod
    def open(cls, url: str, options: Mapping[str, str]) -> Self:
        """Use the bucket and prefix of `url`.

        Args:
            url: ``s3://bucket/prefix``.
            options: ``endpoint``, ``region``, ``access_key_id``, ``secret_access_key``, as obstore
                names them. What is not given is looked for in the environment (``AWS_…``).

        Raises:
            ChunkStoreError: The options do not fit.
        """
        client: ClientConfig = {
            "allow_http": options.get("endpoint", "").startswith("http://"),
            "connect_timeout": _CONNECT_TIMEOUT,
            "timeout": _TIMEOUT,
        }
        retries: RetryConfig = {"max_retries": _RETRIES, "retry_timeout": _RETRY_TIMEOUT}
        try:
            store = S3Store.from_url(
                url,
                config=dict(options),  # type: ignore[arg-type]  # obstore checks the names
                client_options=client,
                retry_config=retries,
            )
            return cls(store)
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
