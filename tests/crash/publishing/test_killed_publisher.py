"""A publisher is killed at each of its steps; the next run loses nothing and repeats nothing."""

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.backend.infectiousness import Diagnosis
from immuni.deployment.databases import ServicesDatabase
from tests.crash.publishing.dying_publisher import STEPS
from tests.publishing import NOW, Press, all_key_data, keep_uploads, keys_of_days

YESTERDAY = NOW.date() - timedelta(days=1)
ILL = Diagnosis(NOW.date() - timedelta(days=4), None)
PEOPLE = 250
KEYS = PEOPLE * 6
"""More than one chunk's worth, so that a run is killed between two chunks as well."""

pytestmark = pytest.mark.anyio


async def publish_and_die(press: Press, step: str) -> int:
    """Run a publisher in a process of its own; return how it ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.crash.publishing.dying_publisher",
        json.dumps(asdict(press.database)),
        str(press.folder),
        step,
    )
    return await process.wait()


@pytest.mark.parametrize("step", STEPS)
async def test_a_killed_publisher_loses_and_repeats_nothing(
    step: str, tmp_path: Path, services_database: ServicesDatabase
) -> None:
    press = Press(tmp_path, services_database)
    people = [keys_of_days(YESTERDAY, days=6, seed=str(person)) for person in range(PEOPLE)]
    await keep_uploads(services_database, people, ILL)

    assert await publish_and_die(press, step) == -signal.SIGKILL
    async with press.publisher() as publisher:
        await publisher.publish()

    exports = await press.published()
    published = all_key_data(exports)
    assert len(published) == len(set(published)) == KEYS
    assert set(published) == {key.key_data for keys in people for key in keys}
    assert list(exports) == [1, 2]
    assert press.query("SELECT * FROM ingestion.upload") == []
