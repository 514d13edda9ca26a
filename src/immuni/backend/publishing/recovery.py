"""Makes the database and the chunk store agree again before anything new is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from immuni.backend.chunks import ChunkDamagedError, ChunkName, ChunkStore
from immuni.backend.publishing.rules import PublicationRules, Window
from immuni.backend.publishing.store import PublishedChunk, PublishingSession
from immuni.errors import ImmuniError
from immuni.export import Export, ExportError, VerificationKey, read_export
from immuni.keys import KEY_LENGTH, PackedKeys


class ForeignChunkError(ImmuniError, RuntimeError):
    """The store holds a chunk that we did not sign; it was left there and nothing was published."""


@dataclass(slots=True)
class Recovered:
    """What was found: files taken over into the database, and files removed."""

    adopted: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Compares the files with the rows.

    A file newer than every row is whole, signed and holds keys that nobody has published: either
    its publisher was killed before the transaction, or the database was restored from a backup and
    phones know the chunk already. Both times the right thing is to finish what was begun.

    Unless its publisher's clock was ahead: a file with keys that are under embargo by the clock of
    now is removed, and its keys wait. A transaction that was never made has told no phone of it.

    Attributes:
        chunks: The store.
        rules: Say what is under embargo.
        verification_keys: Public halves of every key that may have signed a file in it.
        origin: Country in which the keys were uploaded.
    """

    chunks: ChunkStore
    rules: PublicationRules
    verification_keys: Sequence[VerificationKey]
    origin: str

    async def run(self, session: PublishingSession, *, now: datetime) -> Recovered:
        """Adopt what was begun, remove what lost.

        Raises:
            ChunkStoreError: The store does not answer; what was done so far is done.
            ForeignChunkError: A file that would have to be adopted is not ours.
        """
        recovered = Recovered()
        digests = await session.digests()
        newest = (await session.progress()).newest_index
        for name in await self.chunks.names():
            if digests.get(name.index) == name.digest:
                continue
            if name.index > newest and await self._adopt(session, name, now):
                recovered.adopted += 1
                newest = name.index
            else:
                # Its row is gone since it expired, another file won its number, or it is torn or
                # early.
                await self.chunks.delete(name)
                recovered.removed += 1
        return recovered

    async def _adopt(self, session: PublishingSession, name: ChunkName, now: datetime) -> bool:
        try:
            data = await self.chunks.read(name)
        except ChunkDamagedError:
            # The digest is read back before a chunk is announced: no phone knows this one.
            return False
        export = self._verified(name, data)
        keys = PackedKeys.joined([export.keys])
        if self.rules.count_under_embargo(keys, now):
            return False
        if await session.published_among(_key_data(keys)):
            # Had it been announced, none of its keys could be in another chunk.
            return False
        chunk = PublishedChunk(
            index=name.index,
            digest=name.digest,
            size_bytes=len(data),
            window=Window(export.start, export.end),
            keys=keys,
        )
        await session.release(chunk, origin=self.origin, now=now)
        return True

    def _verified(self, name: ChunkName, data: bytes) -> Export:
        try:
            return read_export(data, self.verification_keys)
        except ExportError as error:
            raise ForeignChunkError(f"chunk {name.index} in the store is not ours") from error


def _key_data(keys: PackedKeys) -> list[bytes]:
    return [
        keys.key_data[start : start + KEY_LENGTH]
        for start in range(0, len(keys.key_data), KEY_LENGTH)
    ]
