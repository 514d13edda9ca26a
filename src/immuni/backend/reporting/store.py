"""The published chunks, as the database lists them."""

from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from immuni.backend.chunks import ChunkName
from immuni.backend.reporting.rules import PublishedChunk

CHANNEL: Final = "immuni_chunks"
"""Notified when chunks were published or deleted."""
_CHUNKS: Final = "SELECT index, digest, size_bytes, window_end FROM publishing.chunk ORDER BY index"


async def load_chunks(connection: AsyncConnection[TupleRow]) -> list[PublishedChunk]:
    """Return all chunks that were published and not yet deleted, by index."""
    cursor = await connection.execute(_CHUNKS)
    return [
        PublishedChunk(ChunkName(index, bytes(digest)), size_bytes, window_end)
        async for index, digest, size_bytes, window_end in cursor
    ]
