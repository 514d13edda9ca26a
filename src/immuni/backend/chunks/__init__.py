"""Where chunk files lie: a folder, or a bucket of any S3-compatible store."""

from collections.abc import Mapping
from pathlib import Path

from immuni.backend.chunks.bucket import BucketChunkStore
from immuni.backend.chunks.folder import FolderChunkStore
from immuni.backend.chunks.naming import (
    ChunkDamagedError,
    ChunkMissingError,
    ChunkName,
    ChunkStoreError,
)
from immuni.backend.chunks.store import ChunkStore

__all__ = [
    "BucketChunkStore",
    "ChunkDamagedError",
    "ChunkMissingError",
    "ChunkName",
    "ChunkStore",
    "ChunkStoreError",
    "FolderChunkStore",
    "open_chunk_store",
]


def open_chunk_store(url: str, *, options: Mapping[str, str] | None = None) -> ChunkStore:
    """Open the store that `url` names.

    Args:
        url: A folder's path, or ``s3://bucket/prefix``.
        options: For S3: ``access_key_id``, ``secret_access_key``, ``region``, ``endpoint`` …, as
            obstore names them.

    Raises:
        ChunkStoreError: The folder cannot be made, or the options do not fit.
    """
    if url.startswith("s3://"):
        return BucketChunkStore.open(url, options or {})
    return FolderChunkStore.open(Path(url.removeprefix("file://")))
