"""What publishing tells of itself."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.chunks import ChunkStoreError
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.publishing.metrics import PublishingMetrics
from tests.publishing import NOW, Press, keep_uploads, keys_of_days

TODAY: Final = NOW.date()
YESTERDAY: Final = TODAY - timedelta(days=1)
ILL: Final = Diagnosis(TODAY - timedelta(days=4), None)

pytestmark = pytest.mark.anyio


async def people(press: Press, count: int) -> None:
    """Keep uploads of which every key is due, and as many that end with today's key."""
    due = [keys_of_days(YESTERDAY, days=2, seed=f"due {n}") for n in range(count)]
    waiting = [keys_of_days(TODAY, days=2, seed=f"today {n}") for n in range(count)]
    await keep_uploads(press.database, due + waiting, ILL)


async def test_chunks_keys_and_bytes_are_counted_and_what_waits_is_told(press: Press) -> None:
    registry = CollectorRegistry()
    await people(press, 12)

    async with press.publisher() as publisher:
        await replace(publisher, metrics=PublishingMetrics(registry)).publish()

    (size,) = (path.stat().st_size for path in (press.folder / "chunks").iterdir())
    assert told(registry) == {
        "published_chunks_total": 1,
        "published_keys_total": 36,
        "published_bytes_total": size,
        # Twelve people's key of today; in tens.
        "publishing_waiting_uploads": 10,
        "publishing_overdue_uploads": 0,
    }


async def test_what_a_failed_run_leaves_is_told_as_overdue(press: Press) -> None:
    registry = CollectorRegistry()
    await people(press, 12)

    async with press.publisher(chunks=press.chunks) as publisher:
        (press.folder / "chunks").rmdir()
        with pytest.raises(ChunkStoreError):
            await replace(publisher, metrics=PublishingMetrics(registry)).publish()

    assert told(registry) == {
        "published_chunks_total": 0,
        "published_keys_total": 0,
        "published_bytes_total": 0,
        "publishing_waiting_uploads": 20,
        "publishing_overdue_uploads": 10,
    }


def told(registry: CollectorRegistry) -> dict[str, float]:
    return {
        sample.name.removeprefix("immuni_"): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if not sample.name.endswith("_created")
    }
