import asyncio
import dataclasses
import logging
import os
import signal
from datetime import timedelta

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.infectiousness import Diagnosis
from immuni.backend.job_metrics import Cause, JobMetrics
from immuni.backend.jobs import (
    Figures,
    Job,
    Parts,
    UnknownJobError,
    jobs,
    run_job,
    run_worker,
)
from immuni.backend.publishing.settings import PublishingSettings
from tests.publishing import NOW, Press, all_key_data, keep_upload, keys_of_days

ILL = Diagnosis(NOW.date() - timedelta(days=4), None)
TABLE = jobs(chunk_period=PublishingSettings().chunk_period)
PATIENCE_SECONDS = 30

pytestmark = pytest.mark.anyio


def metrics() -> JobMetrics:
    return JobMetrics(CollectorRegistry())


def test_the_jobs_have_names_meanings_and_schedules() -> None:
    assert {job.name: job.cron for job in TABLE.values()} == {
        "publish": "0 */4 * * *",
        "retention": "17 * * * *",
        "outbox": "37 * * * *",
        "shuffle": "47 * * * *",
        "refresh": "53 * * * *",
        "service-end": "7 * * * *",
        "rescue-stalled": "* * * * *",
    }
    assert all(job.meaning.endswith(".") for job in TABLE.values())


@pytest.mark.parametrize("name", TABLE)
async def test_each_job_can_be_run_by_its_name_and_again(name: str, parts: Parts) -> None:
    first = await run_job(name, TABLE, parts)

    assert await run_job(name, TABLE, parts) == first
    assert all(isinstance(value, int) for value in first.values())


async def test_a_job_that_does_not_exist_is_named_with_those_that_do(parts: Parts) -> None:
    with pytest.raises(UnknownJobError, match="no job nap; there are publish, retention"):
        await run_job("nap", TABLE, parts)


async def test_the_worker_makes_up_for_a_missed_run_and_ends_when_it_is_told(
    parts: Parts, press: Press
) -> None:
    keys = keys_of_days(NOW.date() - timedelta(days=1), days=3, seed="a")
    await keep_upload(press.database, keys, ILL)
    published = asyncio.Event()

    async def publish(parts: Parts) -> Figures:
        figures = await TABLE["publish"].run(parts)
        published.set()
        return figures

    table = TABLE | {"publish": dataclasses.replace(TABLE["publish"], run=publish)}
    worker = asyncio.create_task(run_worker(table, parts, metrics=metrics()))
    await asyncio.wait_for(published.wait(), PATIENCE_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(worker, PATIENCE_SECONDS)

    assert len(all_key_data(await press.published())) == 3
    assert press.query("SELECT * FROM jobs.procrastinate_workers") == []


async def test_what_runs_at_the_end_is_finished_first(parts: Parts) -> None:
    started, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def long(_parts: Parts) -> Figures:
        started.set()
        await may_end.wait()
        ended.set()
        return {}

    table = {"long": Job("long", "Take long.", "* * * * *", long)}
    worker = asyncio.create_task(
        run_worker(table, parts, metrics=metrics(), install_signal_handlers=False)
    )
    await asyncio.wait_for(started.wait(), PATIENCE_SECONDS)
    worker.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(worker, PATIENCE_SECONDS)

    assert ended.is_set()


async def test_a_failure_is_counted_and_tried_again_and_its_message_is_not_logged(
    parts: Parts, press: Press, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    failed = asyncio.Event()
    registry = CollectorRegistry()

    async def fail(_parts: Parts) -> Figures:
        failed.set()
        raise ValueError("key \\x75c734c6 already exists")

    table = {"fail": Job("fail", "Fail.", "* * * * *", fail)}
    worker = asyncio.create_task(run_worker(table, parts, metrics=JobMetrics(registry)))
    await asyncio.wait_for(failed.wait(), PATIENCE_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(worker, PATIENCE_SECONDS)

    assert press.query("SELECT status, attempts FROM jobs.procrastinate_jobs") == [("todo", 1)]
    runs = registry.get_sample_value("immuni_job_runs_total", {"name": "fail", "result": "failure"})
    assert runs == 1
    causes = {
        cause: registry.get_sample_value(
            "immuni_job_failures_total", {"name": "fail", "cause": cause}
        )
        for cause in Cause
    }
    # From nought on: of the first failure an alert has to see the step.
    assert causes == dict.fromkeys(Cause, 0) | {Cause.OTHER: 1}
    written = caplog.text + "".join(capsys.readouterr())
    assert "fail failed: ValueError" in written
    assert "75c734c6" not in written


async def test_the_job_of_a_killed_worker_is_put_back(parts: Parts, press: Press) -> None:
    manager = parts.queue.job_manager
    worker = await manager.register_worker()
    await parts.queue.configure_task("publish").defer_async(timestamp=0)
    await manager.fetch_job(queues=None, worker_id=worker)

    assert await run_job("rescue-stalled", TABLE, parts) == {"rescued": 0}
    with psycopg.connect(press.database.owner) as connection:
        connection.execute(
            "UPDATE jobs.procrastinate_workers SET last_heartbeat = now() - interval '61 seconds'"
        )

    assert await run_job("rescue-stalled", TABLE, parts) == {"rescued": 1}
    assert press.query("SELECT status FROM jobs.procrastinate_jobs") == [("todo",)]
