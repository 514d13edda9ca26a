"""Where the chunk files lie, as an operator says it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from immuni.backend.chunks.bucket import BucketChunkStore
from immuni.backend.chunks.folder import FolderChunkStore
from immuni.backend.chunks.store import ChunkStore
from immuni.settings import setting, text

_BUCKET: Final = "s3://"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkStoreSettings:
    """A folder of this machine, or a bucket of any S3-compatible store."""

    chunk_store: str = setting(
        text(
            pattern=r"(?:s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]+)*|/[^\n]*)?",
            wanted="the path of a folder, from / on, or s3://bucket/prefix",
        ),
        default="",
        meaning="Where chunk files lie; the folder chunks of the data folder where it is not set.",
    )
    s3_endpoint: str = setting(
        text(pattern=r"(?:https?://\S+)?", wanted="a URL that begins with https:// or http://"),
        default="",
        meaning="Where the S3 store is reached; Amazon's own where it is not set.",
    )
    s3_region: str = setting(
        text(pattern=r"[a-z0-9-]{1,32}", wanted="a region's name"),
        default="us-east-1",
        meaning="Region of the bucket.",
    )
    s3_access_key_id: str = setting(
        text(pattern=r"\S*", wanted="a text without spaces"),
        default="",
        secret=True,
        meaning="Login at the S3 store.",
    )
    s3_secret_access_key: str = setting(
        text(pattern=r"\S*", wanted="a text without spaces"),
        default="",
        secret=True,
        meaning="Password at the S3 store.",
    )

    def open(self, folder: Path) -> ChunkStore:
        """Open the store.

        Args:
            folder: The one to use where no other place is set.

        Raises:
            ChunkStoreError: The folder cannot be made, or the options do not fit.
        """
        if not self.chunk_store.startswith(_BUCKET):
            return FolderChunkStore.open(Path(self.chunk_store) if self.chunk_store else folder)
        options = {
            "endpoint": self.s3_endpoint,
            "region": self.s3_region,
            "access_key_id": self.s3_access_key_id,
            "secret_access_key": self.s3_secret_access_key,
        }
        given = {name: value for name, value in options.items() if value}
        return BucketChunkStore.open(self.chunk_store, given)
