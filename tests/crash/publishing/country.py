"""A country whose publishers break, and what must come of it whatever breaks."""

import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import psycopg

from immuni.backend.chunks import ChunkName
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.packed_keys import teks_of, unpack_keys
from immuni.keys import ENIntervalNumber, TemporaryExposureKey, day_of, start_of
from tests.crash.publishing.dying_publisher import SETTINGS
from tests.crash.publishing.wishes import GO_ON, HALTED, Ended, Order, Wish
from tests.publishing import NOW, Press, keep_uploads, keys_of_days

PEOPLE: Final = 25
"""Of six keys each: two chunks in a run, so that one is broken between them as well."""
_SINCE_ONSET: Final = timedelta(days=4)


@dataclass
class Country:
    """A database and a folder of chunks that publishers break on.

    Attributes:
        press: What is published, and how.
        publishers: The process that runs them.
        now: What time it is; the clocks of publishers may say something else.
    """

    press: Press
    publishers: "subprocess.Popen[bytes]"
    now: datetime = NOW
    _uploads: int = 0
    _uploaded: dict[TemporaryExposureKey, int] = field(default_factory=dict)
    """Each key, and how many days after the onset its day is."""
    _announced: dict[int, bytes] = field(default_factory=dict)
    _latest_clock: datetime = NOW

    async def upload(self) -> None:
        """Let some more people upload; one of them the key of the day as well, which waits."""
        self._uploads += 1
        today = self.now.date()
        people = [
            keys_of_days(today - timedelta(days=1), days=6, seed=f"{self._uploads} {person}")
            for person in range(PEOPLE)
        ]
        people[0] += keys_of_days(today, days=1, seed=f"{self._uploads} today")
        onset = today - _SINCE_ONSET
        for tek in (tek for teks in people for tek in teks):
            self._uploaded[tek] = (day_of(tek.rolling_start_number) - onset).days
        await keep_uploads(self.press.database, people, Diagnosis(onset, None))

    async def publish(
        self, wish: Wish | None = None, *, meanwhile: Callable[[], Awaitable[object]] | None = None
    ) -> Ended:
        """Run a publisher, undisturbed where nothing is wished, and tell how it ended."""
        wish = wish or Wish(now=self.now)
        (ended,) = await self.publish_at_once(wish, meanwhile=meanwhile)
        return ended

    async def publish_at_once(
        self, *wishes: Wish, meanwhile: Callable[[], Awaitable[object]] | None = None
    ) -> list[Ended]:
        """Run publishers at once, look at what they did, and tell how they ended.

        Args:
            wishes: One for each.
            meanwhile: What is done while one that halts stands still.
        """
        ended = await self._run(wishes, meanwhile)
        latest = max(wish.now for wish in wishes)
        self._latest_clock = max(self._latest_clock, latest)
        await self._look(latest=latest)
        return ended

    async def _run(
        self, wishes: tuple[Wish, ...], meanwhile: Callable[[], Awaitable[object]] | None
    ) -> list[Ended]:
        assert self.publishers.stdin is not None
        assert self.publishers.stdout is not None
        order = Order(asdict(self.press.database), str(self.press.folder), wishes)
        self.publishers.stdin.write(msgspec.json.encode(order) + b"\n")
        self.publishers.stdin.flush()
        line = self.publishers.stdout.readline()
        if line == HALTED:
            assert meanwhile is not None
            try:
                await meanwhile()
            finally:
                self.publishers.stdin.write(GO_ON)
                self.publishers.stdin.flush()
                line = self.publishers.stdout.readline()
        return msgspec.json.decode(line, type=list[Ended])

    async def _look(self, *, latest: datetime) -> None:
        """Make sure of what must hold at any time, whatever broke.

        What was announced stays as it is, and can be downloaded; numbers go on one by one, and
        their windows never go back; nothing new was published before the clocks of those who
        published allowed it.
        """
        with psycopg.connect(self.press.database.owner) as connection:
            rows = connection.execute(
                "SELECT index, digest, window_end FROM publishing.chunk ORDER BY index"
            ).fetchall()
            progress = connection.execute("SELECT newest_index FROM publishing.progress").fetchall()
            chunks = {index: digest for index, digest, _ in rows}
            new = sorted(chunks.keys() - self._announced.keys())
            if new:
                assert _last_end_from(new[0], connection) + SETTINGS.embargo <= latest
        ends = [end for *_, end in rows]
        assert ends == sorted(ends)
        assert list(chunks) == list(range(1, len(rows) + 1))
        assert progress == [(len(rows),)]
        assert chunks.items() >= self._announced.items()
        for index in [*self._announced][-3:] + new:
            await self.press.chunks.read(ChunkName(index, chunks[index]))
        self._announced = chunks

    async def check(self) -> None:
        """Make sure that all is as if nothing had broken, after a run that was undisturbed.

        Each key that is due is published once, as it would have been; no number is left out, no
        file too many; every other key waits where it was uploaded.
        """
        exports = await self.press.published()
        published = {
            key.tek: key.days_since_onset_of_symptoms
            for export in exports.values()
            for key in export.keys
        }
        assert len(published) == sum(len(export.keys) for export in exports.values())
        rows = self.press.query("SELECT key_data FROM publishing.key")
        assert sorted(key_data for (key_data,) in rows) == sorted(t.key_data for t in published)
        ours = {tek: days for tek, days in published.items() if tek in self._uploaded}
        assert self._due(self.now).items() <= ours.items() <= self._due(self._latest_clock).items()
        waiting = self.press.query("SELECT packed_keys FROM ingestion.upload WHERE NOT simulated")
        waits = [tek for (packed,) in waiting for tek in teks_of(unpack_keys(packed))]
        assert len(waits) == len(set(waits))
        assert set(waits) == self._uploaded.keys() - ours.keys()
        # Whoever writes removes first what a killed writer left half written.
        assert len(self.half_files()) <= 1

    def half_files(self) -> list[Path]:
        """Return the files that somebody began to write and did not name."""
        return list((self.press.folder / "chunks").glob(".*"))

    def _due(self, clock: datetime) -> dict[TemporaryExposureKey, int]:
        return {
            tek: days
            for tek, days in self._uploaded.items()
            if start_of(tek.rolling_end_number) + SETTINGS.embargo <= clock
        }


def _last_end_from(index: int, connection: psycopg.Connection) -> datetime:
    """Return when the last key was over that the chunk `index` or a later one holds."""
    row = connection.execute(
        "SELECT max(rolling_start_number + rolling_period) FROM publishing.key"
        " WHERE chunk_index >= %s",
        [index],
    ).fetchone()
    assert row is not None
    assert row[0] is not None, "there is a chunk without keys"
    return start_of(ENIntervalNumber(row[0]))


@contextmanager
def running_publishers() -> Iterator["subprocess.Popen[bytes]"]:
    """Run the process that runs publishers, for any number of countries."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.publishing.dying_publisher"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as publishers:
        yield publishers
        assert publishers.stdin is not None
        publishers.stdin.close()
