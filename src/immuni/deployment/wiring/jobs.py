"""The *jobs* role: the worker, the jobs that are run by hand, and the metrics' own port."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from immuni.api.provinces import italy
from immuni.backend.analytics.insights.settings import InsightsSettings
from immuni.backend.chunks import ChunkStore
from immuni.backend.connections import require_answer
from immuni.backend.infectiousness import InfectiousnessSettings
from immuni.backend.job_metrics import JobMetrics
from immuni.backend.jobs import (
    Figures,
    Job,
    Parts,
    job_named,
    jobs,
    open_queue,
    run_job,
    run_worker,
)
from immuni.backend.outbox import Outbox, OutboxMetrics
from immuni.backend.publishing.metrics import PublishingMetrics
from immuni.backend.publishing.publisher import Publisher
from immuni.backend.publishing.rules import PublicationRules
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.publishing.store import PublishingStore
from immuni.backend.refreshing import Refreshing
from immuni.backend.retention import RetentionSettings
from immuni.backend.sealing import OpeningKey
from immuni.clock import SystemClock
from immuni.database import Pool, open_pool
from immuni.deployment.configured import Configured, read_configured
from immuni.deployment.layout import Layout
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.settings import DeploymentSettings
from immuni.deployment.signing_keys import keyring_of
from immuni.deployment.wiring import (
    ANALYTICS_KEY_ID,
    NEEDED,
    Wiring,
)
from immuni.entropy import SystemEntropy
from immuni.settings import SettingsError
from immuni.web import Service, metrics_app

METRICS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The metrics library's own variable: the folder in which processes share their counters."""


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Run the jobs on their schedule, and yield the server of the metrics, not yet started."""
    table = job_table(wiring.configured)
    async with job_parts(wiring) as parts:
        worker = asyncio.create_task(
            run_worker(
                table,
                parts,
                metrics=JobMetrics(wiring.registry),
                install_signal_handlers=False,
            )
        )
        server = _metrics_server(wiring, parts)
        # A worker that ends by itself has failed: its process ends too, and is started again.
        worker.add_done_callback(lambda _ended: server.stop())
        try:
            yield [server]
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker


@asynccontextmanager
async def job_parts(wiring: Wiring) -> AsyncIterator[Parts]:
    """Open what the jobs work with."""
    databases, retention = wiring.databases, wiring.configured.of(RetentionSettings)
    chunks = wiring.chunk_store()
    # Not opened here: an outage of the analytics database must not stop publishing.
    open_analytics = partial(open_pool, databases.analytics_database_url, name="jobs", max_size=2)
    async with (
        open_pool(databases.jobs_database_url, name="jobs") as pool,
        open_queue(databases.jobs_database_url) as queue,
    ):
        yield Parts(
            publisher=_publisher(wiring, pool, chunks),
            outbox=Outbox(
                pool=pool,
                open_analytics=open_analytics,
                opening_key=OpeningKey.read(
                    wiring.deployment.layout.analytics_key, key_id=ANALYTICS_KEY_ID
                ),
                metrics=OutboxMetrics(wiring.registry),
            ),
            refreshing=Refreshing(
                pool=pool,
                open_analytics=open_analytics,
                territory=italy(),
                settings=wiring.configured.of(InsightsSettings),
            ),
            pool=pool,
            open_analytics=open_analytics,
            chunks=chunks,
            retention=retention,
            queue=queue,
            clock=wiring.clock,
        )


def job_table(configured: Configured) -> Mapping[str, Job]:
    """Return the jobs with the schedule that the settings say."""
    return jobs(chunk_period=configured.of(PublishingSettings).chunk_period)


def settings_file_in(data_dir: Path) -> Path:
    """Return the settings file that a system wrote in its data folder.

    Raises:
        SettingsError: None was ever started there.
    """
    file = Layout(data_dir.resolve()).settings_file
    if not file.exists():
        raise SettingsError([f"{file}: no such file; start the system once with `immuni up`"])
    return file


async def run_job_now(name: str, file: Path | None) -> Figures:
    """Run one job beside its schedule.

    Args:
        name: What `jobs` calls it.
        file: The settings file of the system; None for the environment alone.

    Raises:
        UnknownJobError: There is none of that name.
        SettingsError: Some settings are wrong or missing.
    """
    configured = read_configured(file)
    table = job_table(configured)
    job_named(name, table)  # A wrong name is told whether or not the database answers.
    async with job_parts(_wiring_by_hand(configured)) as parts:
        return await run_job(name, table, parts)


async def refresh_figures(file: Path, *, before: date) -> int:
    """Decide what is shown of every day before one, over or not; return of how many it was.

    What comes in on these days afterwards is never shown: this is for demonstrations, in which
    nobody waits for midnight.

    Args:
        file: The settings file of the system.
        before: The first day that stays open.

    Raises:
        SettingsError: Some settings are wrong or missing.
    """
    async with job_parts(_wiring_by_hand(read_configured(file))) as parts:
        return await parts.refreshing.refresh(before=before)


def _wiring_by_hand(configured: Configured) -> Wiring:
    configured.require(NEEDED[Role.JOBS])
    clock = configured.of(DeploymentSettings).clock(SystemClock())
    return Wiring.of(configured, clock=clock, entropy=SystemEntropy(), registry=CollectorRegistry())


def _publisher(wiring: Wiring, pool: Pool, chunks: ChunkStore) -> Publisher:
    configured = wiring.configured
    settings = configured.of(PublishingSettings)
    keyring = keyring_of(wiring.deployment.layout)
    return Publisher(
        store=PublishingStore(pool),
        chunks=chunks,
        signers=keyring.signers,
        verification_keys=keyring.verification_keys,
        rules=PublicationRules(
            infectiousness=configured.of(InfectiousnessSettings).infectiousness,
            embargo=settings.embargo,
            retention=configured.of(RetentionSettings).retention,
        ),
        settings=settings,
        clock=wiring.clock,
        entropy=wiring.entropy,
        metrics=PublishingMetrics(wiring.registry),
    )


def _metrics_server(wiring: Wiring, parts: Parts) -> Server:
    shared = os.environ.get(METRICS_VARIABLE)
    metrics = metrics_app(wiring.registry, shared_folder=Path(shared) if shared else None)
    worker = Service(
        name="jobs",
        title="Periodic jobs",
        endpoints=(),
        is_ready=partial(require_answer, parts.pool),
    )
    app = wiring.app_of(worker)
    app.add("/metrics", metrics)
    return wiring.server(Role.JOBS, app)
