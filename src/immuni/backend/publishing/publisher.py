"""One run of publishing: recover, collect, build, write, release, until no key is left."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from immuni.backend.chunks import ChunkName, ChunkStore
from immuni.backend.publishing.builder import Padder, Padding, build_file
from immuni.backend.publishing.collecting import Batch, collect
from immuni.backend.publishing.metrics import PublishingMetrics
from immuni.backend.publishing.recovery import Recovery
from immuni.backend.publishing.rules import PublicationRules, Window, not_before, window_at
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.publishing.store import PublishedChunk, PublishingSession, PublishingStore
from immuni.backend.signing import Signer
from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.export import VerificationKey


@dataclass(slots=True)
class Published:
    """The figures of one run.

    Attributes:
        chunks: New chunks.
        keys: Keys in them, those of simulated people included.
        adopted: Files of an earlier run that were released now.
        removed: Files that belonged to nothing.
        overlapped: 1 when another publisher was at work, so that this run did nothing.
    """

    chunks: int = 0
    keys: int = 0
    adopted: int = 0
    removed: int = 0
    overlapped: int = 0

    def figures(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes whatever is due.

    Attributes:
        store: The tables.
        chunks: Where the files go.
        signers: Asked for each file, which each of them signs.
        verification_keys: Asked in each run for the public halves of all keys that signed files
            still in the store.
        rules: Which keys, and when.
        settings: Sizes, noise and names.
        clock: The server's clock, by which the embargo counts.
        entropy: Where simulated people come from.
        metrics: Told of each chunk, and what each run leaves.
    """

    store: PublishingStore
    chunks: ChunkStore
    signers: Callable[[], Sequence[Signer]]
    verification_keys: Callable[[], Sequence[VerificationKey]]
    rules: PublicationRules
    settings: PublishingSettings
    clock: Clock
    entropy: Entropy
    metrics: PublishingMetrics = field(default_factory=PublishingMetrics)

    async def publish(self) -> Published:
        """Publish all keys that are due, in as many chunks as they need.

        May be killed at any point, and run again or twice at once: no key and no number is lost or
        used twice. A run that finds nothing due publishes a chunk of simulated people alone, once
        in its window, where the settings say so.

        Raises:
            ChunkStoreError: The store does not answer; the keys wait for the next run.
            EmbargoError: A key that is not due got as far as the file; nothing was published.
            ForeignChunkError: The store holds a newer chunk that is not ours.
        """
        async with self.store.exclusive() as session:
            if session is None:
                return Published(overlapped=1)
            begun = self.clock.now()
            try:
                return await self._run(session)
            finally:
                # Whatever was in the way: what waits is the alarm.
                last_free_end = self.rules.last_free_end(begun)
                self.metrics.tell(await session.waiting(last_free_end))

    async def _run(self, session: PublishingSession) -> Published:
        recovery = Recovery(
            chunks=self.chunks,
            rules=self.rules,
            verification_keys=self.verification_keys(),
            origin=self.settings.key_origin,
        )
        recovered = await recovery.run(session, now=self.clock.now())
        published = Published(adopted=recovered.adopted, removed=recovered.removed)
        await self._publish_all(session, published)
        return published

    async def _publish_all(self, session: PublishingSession, published: Published) -> None:
        now = self.clock.now()
        window = window_at(now, self.settings.chunk_period)
        padder = Padder(
            rules=self.rules, settings=self.settings, window=window, now=now, entropy=self.entropy
        )
        last_id: UUID | None = None
        exhausted = False
        while not exhausted:
            padding = padder.noise()
            room = self.settings.max_keys_per_chunk - len(padding.keys)
            batch = await collect(session, self.rules, after=last_id, room=room, now=now)
            last_id, exhausted = batch.last_id, batch.exhausted
            is_due = batch.holds_real_keys or await self._is_empty_run_due(session, window)
            if is_due:
                padder.fill(padding, len(batch.keys))
            # Without a minimum size the draw may be nobody: there is no chunk without a key.
            if is_due and (batch.keys or padding.keys):
                published.keys += await self._release(session, batch, padding, window)
                published.chunks += 1
            else:
                await session.drop_published(batch.used_up)

    async def _is_empty_run_due(self, session: PublishingSession, window: Window) -> bool:
        progress = await session.progress()
        done = progress.window_end is not None and progress.window_end >= window.end
        return self.settings.publish_empty_runs and not done

    async def _release(
        self, session: PublishingSession, batch: Batch, padding: Padding, window: Window
    ) -> int:
        """Write one chunk's file, then let the database name it; return its number of keys."""
        batch.keys.extend(padding.keys)
        keys = batch.keys.packed()
        progress = await session.progress()
        window = not_before(window, progress.window_end)
        # Building and signing keep a core busy for seconds: the worker has other jobs.
        data = await asyncio.to_thread(
            build_file,
            keys,
            window=window,
            rules=self.rules,
            settings=self.settings,
            signers=self.signers(),
            now=self.clock.now(),
        )
        name = ChunkName.of(progress.newest_index + 1, data)
        await self.chunks.write(name, data)
        chunk = PublishedChunk(
            index=name.index, digest=name.digest, size_bytes=len(data), window=window, keys=keys
        )
        await session.release(
            chunk,
            used=batch.used,
            leftovers=padding.leftovers,
            origin=self.settings.key_origin,
            now=self.clock.now(),
        )
        self.metrics.count(keys=len(keys), size_bytes=len(data))
        return len(keys)
