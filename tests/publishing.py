"""Publishing on real parts: the database, a folder of chunks, a signing key."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg

from immuni.backend.chunks import ChunkName, ChunkStore, FolderChunkStore
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS, Diagnosis
from immuni.backend.ingestion.store import IngestionStore
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.publishing.publisher import Publisher
from immuni.backend.publishing.rules import PublicationRules
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.publishing.store import PublishingStore
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.clock import Clock, ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.export import Export, VerificationKey, read_export
from immuni.keys import TemporaryExposureKey, first_interval_of

OTP_KEYS: Final = OtpKeys({"test": bytes(range(32))})
NOW: Final = datetime.fromisoformat("2020-06-20T12:00:07+00:00")
"""In the first seconds after the end of a window."""
QUIET: Final = PublishingSettings(
    padding_noise=0.0, min_keys_per_chunk=0, publish_empty_runs=False, max_keys_per_chunk=1000
)
"""Nobody is simulated: what is published was uploaded."""


def keys_of_days(last: date, *, days: int, seed: str) -> list[TemporaryExposureKey]:
    """Return a key for each of the `days` days that end with `last`."""
    entropy = SeededEntropy(seed)
    return [
        TemporaryExposureKey(entropy.token(16), first_interval_of(last - timedelta(days=back)))
        for back in range(days)
    ]


async def keep_upload(
    database: ServicesDatabase, teks: Sequence[TemporaryExposureKey], diagnosis: Diagnosis
) -> None:
    """Keep an upload the way ingestion does, with its role."""
    await keep_uploads(database, [teks], diagnosis)


async def keep_uploads(
    database: ServicesDatabase,
    people: Iterable[Sequence[TemporaryExposureKey]],
    diagnosis: Diagnosis,
) -> None:
    """Keep an upload for each of many people."""
    async with open_pool(database.ingestion, max_size=1) as pool:
        store = IngestionStore(pool, OTP_KEYS)
        for teks in people:
            async with store.transaction() as work:
                await work.keep([(teks, diagnosis)], received_on=NOW.date())


@dataclass
class Press:
    """A folder with a signing key and the published files."""

    folder: Path
    database: ServicesDatabase
    clock: Clock = field(default_factory=lambda: ManualClock(NOW))
    _read: dict[ChunkName, Export] = field(default_factory=dict, repr=False)
    """Files that were verified; their names hold their digests."""

    def __post_init__(self) -> None:
        """Make the key the first time."""
        if not self._key.exists():
            create_signing_key(self._key)

    @property
    def _key(self) -> Path:
        return self.folder / "export-key.pem"

    @property
    def signer(self) -> LocalKeySigner:
        """The key that signs."""
        return LocalKeySigner.read(self._key, key_id="222")

    @property
    def verification_key(self) -> VerificationKey:
        """Its public half."""
        return VerificationKey("222", "v1", self.signer.public_key)

    @property
    def chunks(self) -> FolderChunkStore:
        """The published files."""
        return FolderChunkStore.open(self.folder / "chunks")

    @asynccontextmanager
    async def publisher(
        self,
        settings: PublishingSettings = QUIET,
        *,
        seed: str = "press",
        chunks: ChunkStore | None = None,
        store: type[PublishingStore] = PublishingStore,
    ) -> AsyncIterator[Publisher]:
        """Open a publisher with connections of its own."""
        async with open_pool(self.database.jobs, max_size=2) as pool:
            yield Publisher(
                store=store(pool),
                chunks=chunks or self.chunks,
                signers=lambda: [self.signer],
                verification_keys=lambda: [self.verification_key],
                rules=PublicationRules(
                    infectiousness=DEFAULT_INFECTIOUSNESS,
                    embargo=settings.embargo,
                    retention=timedelta(days=14),
                ),
                settings=settings,
                clock=self.clock,
                entropy=SeededEntropy(seed),
            )

    async def published(self, chunks: ChunkStore | None = None) -> dict[int, Export]:
        """Return what phones can download, verified as they do: index to content.

        Fails where the rows and the files, by default those of the folder, do not agree.
        """
        chunks = chunks or self.chunks
        rows = self.query("SELECT index, digest, size_bytes, key_count FROM publishing.chunk")
        names = {ChunkName(index, digest): (size, count) for index, digest, size, count in rows}
        assert sorted(names) == await chunks.names()
        exports = {}
        for name, (size, count) in names.items():
            data = await chunks.read(name)
            if name not in self._read:
                self._read[name] = read_export(data, [self.verification_key])
            exports[name.index] = self._read[name]
            assert (len(data), len(exports[name.index].keys)) == (size, count)
        return dict(sorted(exports.items()))

    def query(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        """Look behind the services' backs."""
        with psycopg.connect(self.database.owner) as connection:
            return connection.execute(statement).fetchall()


def all_key_data(exports: dict[int, Export]) -> list[bytes]:
    """Return the bytes of every published key, as often as it was published."""
    return [key.tek.key_data for export in exports.values() for key in export.keys]
