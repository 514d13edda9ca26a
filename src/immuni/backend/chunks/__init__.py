"""Where chunk files lie: a folder, or a bucket of any S3-compatible store."""

from immuni.backend.chunks.bucket import BucketChunkStore
from immuni.backend.chunks.folder import FolderChunkStore
from immuni.backend.chunks.naming import (
    ChunkDamagedError,
    ChunkMissingError,
    ChunkName,
    ChunkStoreError,
)
from immuni.backend.chunks.settings import ChunkStoreSettings
from immuni.backend.chunks.store import ChunkStore

__all__ = [
    "BucketChunkStore",
    "ChunkDamagedError",
    "ChunkMissingError",
    "ChunkName",
    "ChunkStore",
    "ChunkStoreError",
    "ChunkStoreSettings",
    "FolderChunkStore",
]
