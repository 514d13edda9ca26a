"""A publisher that is killed at a chosen step: run as a process of its own by the crash tests."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from immuni.backend.chunks import ChunkName, FolderChunkStore
from immuni.backend.publishing.padding import SimulatedUpload
from immuni.backend.publishing.store import (
    PublishedChunk,
    PublishingSession,
    PublishingStore,
    UsedUpload,
)
from immuni.deployment.databases import ServicesDatabase
from tests.publishing import Press

STEPS: Final = (
    "before the file",
    "after the file",
    "inside the transaction",
    "after the transaction",
)


class DyingStore(FolderChunkStore):
    """Dies before or after it keeps a file."""

    step = ""

    async def write(self, name: ChunkName, data: bytes) -> None:
        _die_at("before the file", self.step)
        await super().write(name, data)
        _die_at("after the file", self.step)


class DyingSession(PublishingSession):
    """Dies before or after it commits."""

    step = ""

    async def release(
        self,
        chunk: PublishedChunk,
        *,
        used: Sequence[UsedUpload] = (),
        leftovers: Sequence[SimulatedUpload] = (),
        origin: str,
        now: datetime,
    ) -> None:
        await super().release(chunk, used=used, leftovers=leftovers, origin=origin, now=now)
        _die_at("after the transaction", self.step)

    async def _keep(self, leftovers: Sequence[SimulatedUpload], now: datetime) -> None:
        await super()._keep(leftovers, now)
        _die_at("inside the transaction", self.step)


class DyingPublishingStore(PublishingStore):
    """Opens sessions that die."""

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[PublishingSession | None]:
        async with super().exclusive() as session:
            yield None if session is None else DyingSession(session._connection)


async def publish(database: ServicesDatabase, folder: Path, step: str) -> None:
    """Publish once, as far as the step lets it."""
    DyingStore.step = DyingSession.step = step
    press = Press(folder, database)
    chunks = DyingStore.open(folder / "chunks")
    async with press.publisher(chunks=chunks, store=DyingPublishingStore) as publisher:
        await publisher.publish()


def _die_at(here: str, step: str) -> None:
    if here == step:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    urls, folder, step = sys.argv[1:]
    asyncio.run(publish(ServicesDatabase(**json.loads(urls)), Path(folder), step))
