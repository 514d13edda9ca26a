"""The periodic jobs: what they are called, when they run, and the worker that runs them.

The queue lies in PostgreSQL. A job may run twice, or be killed and run again: what it does is
guarded by unique keys, so that once more does no harm.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeAlias

from procrastinate import App, PsycopgConnector, RetryStrategy

from immuni.backend.analytics.days import shuffle_operational
from immuni.backend.chunks import ChunkStore
from immuni.backend.connections import PoolOpener
from immuni.backend.job_metrics import JobMetrics
from immuni.backend.outbox import Outbox
from immuni.backend.publishing.publisher import Published, Publisher
from immuni.backend.publishing.settings import cron_of
from immuni.backend.purging import Purged, purge, purge_everything
from immuni.backend.refreshing import Refreshing
from immuni.backend.retention import RetentionSettings
from immuni.backend.service_end import carry_end, has_ended, published_end
from immuni.clock import Clock
from immuni.database import Pool
from immuni.errors import ImmuniError
from immuni.telemetry import logger

Figures: TypeAlias = Mapping[str, int]
"""What a run did, counted; for the log and for people."""

_HOURLY: Final = "{minute} * * * *"
_EVERY_MINUTE: Final = "* * * * *"
_STALLED_SECONDS: Final = 60
"""A worker sends a heartbeat every ten; one that is silent for so long is gone."""
_KEEP_FINISHED_HOURS: Final = 14 * 24
# A run that was missed while no worker was there is made up for, however long ago it was due.
_MAX_DELAY_SECONDS: Final = timedelta(days=366).total_seconds()
# 5 s, 25 s, 2 min, 10 min; by then the next run is near.
_RETRY: Final = RetryStrategy(max_attempts=4, exponential_wait=5)
_ACQUIRE_TIMEOUT: Final = timedelta(seconds=5)
_log = logger("jobs")


class JobFailedError(ImmuniError, RuntimeError):
    """A job ended with an error, which is in the log; it will be tried again."""


class UnknownJobError(ImmuniError, LookupError):
    """There is no job of that name; nothing was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the jobs work with.

    Attributes:
        publisher: Publishes what is due.
        outbox: Carries Epidemiological Info over to the analytics database.
        refreshing: Counts analytics, and decides what is shown of it.
        pool: Connections of the jobs' own role.
        open_analytics: Opens connections of the Analytics Service's role to its database, only
            while a job uses them: nothing else waits for that database.
        chunks: The chunk files.
        retention: For how long things are kept.
        queue: The queue, opened by `open_queue`.
        clock: The server's clock.
    """

    publisher: Publisher
    outbox: Outbox
    refreshing: Refreshing
    pool: Pool
    open_analytics: PoolOpener
    chunks: ChunkStore
    retention: RetentionSettings
    queue: App
    clock: Clock


@dataclass(frozen=True, slots=True)
class Job:
    """One periodic job.

    Attributes:
        name: What people call it.
        meaning: What it does, in a sentence.
        cron: When it runs, in UTC.
        run: Does it, and returns what was done.
    """

    name: str
    meaning: str
    cron: str
    run: Callable[[Parts], Awaitable[Figures]]


def jobs(*, chunk_period: timedelta) -> dict[str, Job]:
    """Return the jobs by name."""
    table = (
        Job(
            "publish",
            "Publish the keys that are due as TEK Chunks.",
            cron_of(chunk_period),
            _publish,
        ),
        Job(
            "retention",
            "Delete uploads, codes, chunks, analytics and finished jobs past their time.",
            _HOURLY.format(minute=17),
            _purge,
        ),
        Job(
            "outbox",
            "Carry sealed Epidemiological Info over to the analytics database.",
            _HOURLY.format(minute=37),
            _move_outbox,
        ),
        Job(
            "shuffle",
            "Write the day's Operational Info anew in random order.",
            _HOURLY.format(minute=47),
            _shuffle,
        ),
        Job(
            "refresh",
            "Count the days of analytics that are over, and decide what is shown of them.",
            _HOURLY.format(minute=53),
            _refresh,
        ),
        Job(
            "service-end",
            "Carry the service's last day to analytics; from that day on, delete everything.",
            _HOURLY.format(minute=7),
            _end_service,
        ),
        Job(
            "rescue-stalled",
            "Put the jobs of a worker that was killed back into the queue.",
            _EVERY_MINUTE,
            _rescue_stalled,
        ),
    )
    return {job.name: job for job in table}


@asynccontextmanager
async def open_queue(database_url: str) -> AsyncIterator[App]:
    """Connect to the queue for as long as the context lasts.

    Args:
        database_url: Direct connection of the jobs' role, which finds the queue's tables.
    """
    # A worker that ends says goodbye to the queue: it must not wait long for a database that ended
    # before it.
    connector = PsycopgConnector(
        conninfo=database_url, max_size=4, timeout=_ACQUIRE_TIMEOUT.total_seconds()
    )
    queue = App(connector=connector, periodic_defaults={"max_delay": _MAX_DELAY_SECONDS})
    # As with every pool, one whose opening is cancelled has to be closed too.
    try:
        await queue.open_async()
        yield queue
    finally:
        await queue.close_async()


def job_named(name: str, table: Mapping[str, Job]) -> Job:
    """Return one job.

    Raises:
        UnknownJobError: There is none of that name.
    """
    if name not in table:
        raise UnknownJobError(f"no job {name}; there are {', '.join(table)}")
    return table[name]


async def run_job(name: str, table: Mapping[str, Job], parts: Parts) -> Figures:
    """Run one job now, beside the schedule.

    Raises:
        UnknownJobError: There is none of that name.
    """
    figures = await job_named(name, table).run(parts)
    _log.info("job_finished", job=name, **figures)
    return figures


async def run_worker(
    table: Mapping[str, Job],
    parts: Parts,
    *,
    metrics: JobMetrics,
    install_signal_handlers: bool = True,
) -> None:
    """Run the jobs on their schedule until SIGTERM, SIGINT or cancellation.

    Whatever is running then is finished first.

    Args:
        table: The jobs.
        parts: What they work with; the queue is open.
        metrics: Counts the runs.
        install_signal_handlers: False where the process handles signals itself and cancels.
    """
    for job in table.values():
        metrics.expect(job.name)
        _schedule(job, parts, metrics)
    await parts.queue.run_worker_async(
        name="immuni",
        concurrency=len(table),
        delete_jobs="successful",
        stalled_worker_timeout=_STALLED_SECONDS,
        install_signal_handlers=install_signal_handlers,
    )


def _schedule(job: Job, parts: Parts, metrics: JobMetrics) -> None:
    async def task(timestamp: int) -> None:  # noqa: ARG001 - the queue tells when it was due
        try:
            figures = await job.run(parts)
        except Exception as error:  # noqa: BLE001 - it is raised again, without its message
            metrics.count_failure(job.name, error)
            # The queue would log the message, and a database's message may quote a key.
            _log.error("job_failed", job=job.name, kind=type(error).__name__)
            raise JobFailedError(f"{job.name} failed: {type(error).__name__}") from None
        metrics.count_success(job.name, parts.clock.now())
        _log.info("job_finished", job=job.name, **figures)

    registered = parts.queue.task(name=job.name, queueing_lock=job.name, retry=_RETRY)(task)
    parts.queue.periodic(cron=job.cron)(registered)


async def _has_ended(parts: Parts) -> bool:
    return await has_ended(parts.pool, now=parts.clock.now())


async def _end_service(parts: Parts) -> Figures:
    ended, purged = await _has_ended(parts), Purged()
    try:
        if ended:
            purged = await purge_everything(parts.pool, parts.open_analytics, parts.chunks)
    finally:
        async with parts.open_analytics() as analytics:
            await carry_end(analytics, await published_end(parts.pool))
    return {"ended": int(ended), **purged.figures()}


async def _publish(parts: Parts) -> Figures:
    if await _has_ended(parts):
        return Published().figures()
    return (await parts.publisher.publish()).figures()


async def _purge(parts: Parts) -> Figures:
    try:
        purged = await purge(
            parts.pool,
            parts.open_analytics,
            parts.chunks,
            settings=parts.retention,
            now=parts.clock.now(),
        )
    finally:
        # Whatever could not be purged: the queue's own past does not pile up for it.
        await _delete_old_jobs(parts.queue)
    return purged.figures()


async def _delete_old_jobs(queue: App) -> None:
    await queue.job_manager.delete_old_jobs(
        nb_hours=_KEEP_FINISHED_HOURS,
        include_failed=True,
        include_cancelled=True,
        include_aborted=True,
    )


async def _move_outbox(parts: Parts) -> Figures:
    if await _has_ended(parts):
        return {"moved": 0}
    return {"moved": await parts.outbox.move()}


async def _shuffle(parts: Parts) -> Figures:
    async with parts.open_analytics() as analytics:
        return {"days": await shuffle_operational(analytics)}


async def _refresh(parts: Parts) -> Figures:
    if await _has_ended(parts):
        return {"days": 0}
    before = await parts.refreshing.days_over(parts.clock.now())
    return {"days": await parts.refreshing.refresh(before=before)}


async def _rescue_stalled(parts: Parts) -> Figures:
    manager = parts.queue.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_SECONDS))
    for job in stalled:
        await manager.retry_job(job)
    return {"rescued": len(stalled)}
