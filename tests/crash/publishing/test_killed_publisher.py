"""Publishers are killed at every moment; the next run loses nothing and repeats nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from immuni.backend.chunks import ChunkName
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.packed_keys import unpack_keys
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SystemEntropy
from tests.publishing import NOW, Press, all_key_data, keep_uploads, keys_of_days

YESTERDAY: Final = NOW.date() - timedelta(days=1)
ILL: Final = Diagnosis(NOW.date() - timedelta(days=4), None)
PEOPLE: Final = 25
"""Of six keys each: two chunks in a run, so that one is killed between them as well."""
RANDOM_KILLS: Final = int(os.environ.get("KILLS", "200"))
"""`make chaos` asks for more."""
KILLS_IN_A_ROW: Final = 8

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]


@dataclass
class Country:
    """A database that publishers are killed on, and what must have come of it."""

    press: Press
    publishers: "subprocess.Popen[str]"
    due: set[bytes] = field(default_factory=set)
    waiting: set[bytes] = field(default_factory=set)
    _rounds: int = 0

    async def upload(self) -> None:
        """Let some more people upload; one of them the key of the day as well, which waits."""
        self._rounds += 1
        people = [
            keys_of_days(YESTERDAY, days=6, seed=f"{self._rounds} {person}")
            for person in range(PEOPLE)
        ]
        self.due |= {key.key_data for keys in people for key in keys}
        (today,) = keys_of_days(NOW.date(), days=1, seed=f"{self._rounds} today")
        self.waiting.add(today.key_data)
        people[0].append(today)
        await keep_uploads(self.press.database, people, ILL)

    def publish(self, **wish: float) -> dict[str, int]:
        """Run a publisher; `moment` or `seconds` say when it is killed."""
        assert self.publishers.stdin is not None
        assert self.publishers.stdout is not None
        self.publishers.stdin.write(json.dumps(wish) + "\n")
        self.publishers.stdin.flush()
        answer: dict[str, int] = json.loads(self.publishers.stdout.readline())
        return answer

    async def check_readable(self) -> None:
        """Make sure that phones can download what they may have been told of."""
        for index, digest in self.press.query(
            "SELECT index, digest FROM publishing.chunk ORDER BY index DESC LIMIT 3"
        ):
            await self.press.chunks.read(ChunkName(index, digest))

    async def check(self) -> None:
        """Make sure that nothing is lost, nothing twice, no number left out, no file too many."""
        exports = await self.press.published()
        published = all_key_data(exports)
        assert len(published) == len(set(published))
        assert self.due <= set(published)
        assert list(exports) == list(range(1, len(exports) + 1))
        rows = self.press.query("SELECT packed_keys FROM ingestion.upload WHERE NOT simulated")
        assert {key[0] for (packed,) in rows for key in unpack_keys(packed)} == self.waiting
        assert self.press.query("SELECT count(*) FROM publishing.key") == [(len(published),)]


@pytest.fixture
def country(tmp_path: Path, services_database: ServicesDatabase) -> Iterator[Country]:
    press = Press(tmp_path, services_database)
    command = [sys.executable, "-m", "tests.crash.publishing.dying_publisher"]
    with subprocess.Popen(
        [*command, json.dumps(asdict(services_database)), str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as publishers:
        yield Country(press, publishers)
        assert publishers.stdin is not None
        publishers.stdin.close()


async def test_killed_before_or_after_any_effect_it_loses_and_repeats_nothing(
    country: Country,
) -> None:
    await country.upload()
    ended = country.publish()
    assert ended["code"] == 0
    await country.check()

    moment = 0
    while ended["code"] != 0 or moment == 0:
        moment += 1
        await country.upload()
        ended = country.publish(moment=moment)
        assert ended["code"] in (0, -signal.SIGKILL)
        await country.check_readable()
        assert country.publish()["code"] == 0
        if moment % 10 == 0 or ended["code"] == 0:
            await country.check()

    # The moment that was never reached is the first one beyond the last.
    assert moment > 100


async def test_killed_at_any_moment_again_and_again_it_loses_and_repeats_nothing(
    country: Country,
) -> None:
    # The first one waits for the imports as well.
    assert country.publish()["code"] == 0
    await country.upload()
    begun = time.monotonic()
    assert country.publish()["code"] == 0
    seconds = time.monotonic() - begun

    entropy, killed = SystemEntropy(), 0
    while killed < RANDOM_KILLS:
        await country.upload()
        for _ in range(KILLS_IN_A_ROW):
            # What lies before is forking and connecting.
            ended = country.publish(seconds=entropy.uniform(seconds / 3, 1.1 * seconds))
            killed += ended["code"] == -signal.SIGKILL
            await country.check_readable()
        assert country.publish()["code"] == 0
        await country.check()
