"""The analytics database refuses everybody; whatever does not need it goes on."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.chunks import ChunkName, ChunkStoreError, FolderChunkStore
from immuni.backend.epidemiological import EpidemiologicalInfo, OnsetClass, seal_epidemiological
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.ingestion.store import IngestionStore
from immuni.backend.jobs import Parts, jobs, run_job
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.purging import PurgeIncompleteError, purge
from immuni.backend.sealing import SealingKey
from immuni.clock import ManualClock
from immuni.database import DatabaseUnreachableError, open_pool
from immuni.deployment.configured import Configured
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.provision import ensure_keys
from immuni.deployment.wiring import Wiring
from immuni.deployment.wiring.jobs import servers
from immuni.entropy import SeededEntropy
from immuni.settings import Source
from tests.door import Door
from tests.publishing import NOW, OTP_KEYS, Press, all_key_data, keep_upload, keys_of_days

TABLE = jobs(chunk_period=PublishingSettings().chunk_period)
YESTERDAY = NOW.date() - timedelta(days=1)
ILL = Diagnosis(NOW.date() - timedelta(days=4), None)
PATIENCE_SECONDS = 30

pytestmark = pytest.mark.anyio


@pytest.fixture
def door(postgres_admin_url: str, analytics_database: AnalyticsDatabase) -> Door:
    """Return what opens and closes the analytics database."""
    return Door(postgres_admin_url, analytics_database.owner)


@pytest.fixture
def wiring(
    tmp_path: Path, services_database: ServicesDatabase, analytics_database: AnalyticsDatabase
) -> Wiring:
    """Put a process of the jobs' role together."""
    layout = Layout(tmp_path / "system")
    layout.prepare()
    ensure_keys(layout, clock=ManualClock(NOW))
    texts = {
        "data_dir": str(layout.root),
        "jobs_database_url": services_database.jobs,
        "analytics_database_url": analytics_database.analytics,
    }
    return Wiring.of(
        Configured.read(Source(texts, dict.fromkeys(texts, "the test"))),
        clock=ManualClock(NOW),
        entropy=SeededEntropy("jobs"),
        registry=CollectorRegistry(),
    )


async def enclose(database: ServicesDatabase, key: SealingKey, received_on: date) -> None:
    """Put a row into the outbox, the way ingestion does."""
    info = EpidemiologicalInfo(province="RM", onset=OnsetClass.DAYS_3_TO_5, summaries=())
    async with (
        open_pool(database.ingestion, max_size=1) as pool,
        IngestionStore(pool, OTP_KEYS).transaction() as work,
    ):
        await work.enclose(seal_epidemiological([info], key), received_on=received_on)


async def test_publishing_goes_on(parts: Parts, press: Press, door: Door) -> None:
    keys = keys_of_days(YESTERDAY, days=3, seed="a")
    await keep_upload(press.database, keys, ILL)
    door.open(to_all=False)

    await run_job("publish", TABLE, parts)

    assert len(all_key_data(await press.published())) == 3


async def test_the_outbox_waits_and_is_moved_when_the_outage_is_over(
    parts: Parts, press: Press, sealing_key: SealingKey, door: Door
) -> None:
    await enclose(press.database, sealing_key, NOW.date())
    door.open(to_all=False)
    with pytest.raises(DatabaseUnreachableError):
        await run_job("outbox", TABLE, parts)
    assert press.query("SELECT count(*) FROM ingestion.outbox") == [(1,)]

    door.open(to_all=True)

    assert await run_job("outbox", TABLE, parts) == {"moved": 1}


async def test_everything_else_is_purged_and_the_failure_told(
    parts: Parts,
    press: Press,
    clock: ManualClock,
    sealing_key: SealingKey,
    door: Door,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await keep_upload(press.database, keys_of_days(YESTERDAY, days=1, seed="a"), ILL)
    await parts.publisher.publish()
    await keep_upload(press.database, keys_of_days(YESTERDAY, days=1, seed="b"), ILL)
    await enclose(press.database, sealing_key, NOW.date())
    await parts.queue.configure_task("publish").defer_async(timestamp=0)
    door.open(to_all=False)
    clock.advance(timedelta(days=31))
    have_finished_long_ago(press.database)

    with pytest.raises(
        PurgeIncompleteError, match=r"^not purged: analytics: DatabaseUnreachableError$"
    ):
        await run_job("retention", TABLE, parts)

    assert press.query("SELECT id FROM ingestion.upload") == []
    assert press.query("SELECT id FROM ingestion.outbox") == []
    assert press.query("SELECT index FROM publishing.chunk") == []
    assert await press.chunks.names() == []
    assert press.query("SELECT * FROM jobs.procrastinate_jobs") == []
    assert "purge_incomplete" in capsys.readouterr().out


def have_finished_long_ago(database: ServicesDatabase) -> None:
    """Have all jobs of the queue end fifteen days ago."""
    with psycopg.connect(database.jobs) as connection:
        connection.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        connection.execute("UPDATE procrastinate_events SET at = now() - interval '15 days'")


class FailingStore(FolderChunkStore):
    """Keeps what it has."""

    async def delete(self, name: ChunkName) -> None:
        raise ChunkStoreError(f"{name} stays")


async def test_all_failures_of_a_purge_are_told(
    parts: Parts, press: Press, clock: ManualClock, door: Door
) -> None:
    await keep_upload(press.database, keys_of_days(YESTERDAY, days=1, seed="a"), ILL)
    await parts.publisher.publish()
    clock.advance(timedelta(days=31))
    door.open(to_all=False)

    with pytest.raises(PurgeIncompleteError) as told:
        await purge(
            parts.pool,
            parts.open_analytics,
            FailingStore.open(press.folder / "chunks"),
            settings=parts.retention,
            now=clock.now(),
        )

    assert str(told.value) == (
        "not purged: analytics: DatabaseUnreachableError, chunks: ChunkStoreError"
    )


async def test_the_role_starts_is_ready_publishes_and_counts_the_failure(
    wiring: Wiring, door: Door
) -> None:
    door.open(to_all=False)

    def runs(job: str, result: str) -> float:
        labels = {"name": job, "result": result}
        return wiring.registry.get_sample_value("immuni_job_runs_total", labels) or 0

    async with servers(wiring) as [server]:
        transport = httpx.ASGITransport(app=cast("Any", server.config.app))
        async with httpx.AsyncClient(transport=transport, base_url="http://jobs") as client:
            async with asyncio.timeout(PATIENCE_SECONDS):
                # The worker makes up for missed runs at once; each question gives it time.
                while not (runs("publish", "success") and runs("outbox", "failure")):
                    assert (await client.get("/readyz")).is_success
        assert not server.should_exit
