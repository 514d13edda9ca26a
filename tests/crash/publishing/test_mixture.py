"""All faults of publishing, mixed at random: nothing is lost or repeated, no number left out.

What is drawn follows from a seed, which is printed at the start. The moments are counted within a
run, so that a seed breaks the same things again; only deaths after a time come where they come.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import pytest

from immuni.entropy import Entropy, SeededEntropy, SystemEntropy
from tests.crash.fragile_postgres import WAYS_TO_STOP, FragilePostgres
from tests.crash.publishing.country import Country
from tests.crash.publishing.wishes import Trouble, Wish

FAULTS: Final = int(os.environ.get("FAULTS", "24"))
"""`make chaos` asks for more."""
MOST_MINUTES: Final = float(os.environ.get("FAULT_MINUTES", "30"))
SEED: Final = int(os.environ.get("FAULT_SEED") or SystemEntropy().below(10**9))
FAULTS_IN_A_ROW: Final = 6
MOMENTS: Final = 240
"""More than a run has, even one that makes up for what others left."""
ACCESSES: Final = 30
"""As many as a run has to the chunk store."""
CHUNK_BYTES: Final = 3000
SECONDS: Final = 0.6
WRONG_BY: Final = tuple(
    timedelta(seconds=seconds) for seconds in (-86_400, -14_400, -1, 1, 10_800, 86_400, 172_800)
)
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (0, 0, 1, 240))

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600 + 120 * MOST_MINUTES)]


@dataclass
class Faults:
    """Draws faults, and lets them happen."""

    country: Country
    postgres: FragilePostgres
    entropy: Entropy
    met: Counter[str] = field(default_factory=Counter)

    async def one(self) -> None:
        """Let one fault happen, by a clock that may be wrong."""
        now = self.country.now
        if not self.entropy.below(3):
            now += WRONG_BY[self.entropy.below(len(WRONG_BY))]
            self.met["wrong clock"] += 1
        kinds: dict[str, Callable[[datetime], Awaitable[None]]] = {
            "killed at a moment": self._killed_at_a_moment,
            "killed after a time": self._killed_after_a_time,
            "database restarted": self._database_restarted,
            "store failing": self._store_failing,
            "disk full": self._disk_full,
            "two publishers": self._two_publishers,
        }
        kind = list(kinds)[self.entropy.below(len(kinds))]
        self.met[kind] += 1
        await kinds[kind](now)

    async def _killed_at_a_moment(self, now: datetime) -> None:
        await self._publish(Wish(now=now, moment=1 + self.entropy.below(MOMENTS)))

    async def _killed_after_a_time(self, now: datetime) -> None:
        await self._publish(Wish(now=now, seconds=self.entropy.uniform(0, SECONDS)))

    async def _database_restarted(self, now: datetime) -> None:
        way = WAYS_TO_STOP[self.entropy.below(len(WAYS_TO_STOP))]

        async def restart() -> None:
            self.postgres.restart(way)

        moment = 1 + self.entropy.below(MOMENTS)
        await self._publish(Wish(now=now, moment=moment, halts=True), meanwhile=restart)

    async def _store_failing(self, now: datetime) -> None:
        first = 1 + self.entropy.below(ACCESSES)
        trouble = Trouble(first, first + self.entropy.below(ACCESSES))
        await self._publish(Wish(now=now, trouble=trouble))

    async def _disk_full(self, now: datetime) -> None:
        await self._publish(Wish(now=now, file_bytes=self.entropy.below(CHUNK_BYTES)))

    async def _two_publishers(self, now: datetime) -> None:
        wishes = [
            Wish(now=clock, seconds=self.entropy.uniform(0, 2 * SECONDS))
            for clock in (now, self.country.now)
        ]
        await self._publish(*wishes)

    async def _publish(
        self, *wishes: Wish, meanwhile: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        for ended in await self.country.publish_at_once(*wishes, meanwhile=meanwhile):
            assert ended.error in ("", "database", "store"), ended.error


async def test_whatever_breaks_in_whatever_order_nothing_is_lost_or_repeated(
    fragile_country: Country, fragile_postgres: FragilePostgres
) -> None:
    tell(f"{FAULTS} faults, at most {MOST_MINUTES:g} minutes; FAULT_SEED={SEED} repeats them")
    entropy = SeededEntropy(SEED)
    faults = Faults(fragile_country, fragile_postgres, entropy)
    begun, broken = time.monotonic(), 0
    while broken < FAULTS and time.monotonic() - begun < 60 * MOST_MINUTES:
        await fragile_country.upload()
        for _ in range(1 + entropy.below(FAULTS_IN_A_ROW)):
            await faults.one()
            broken += 1
        assert (await fragile_country.publish()).code == 0
        await fragile_country.check()
        fragile_country.now += PAUSES[entropy.below(len(PAUSES))]
    tell(f"{broken} faults in {time.monotonic() - begun:.0f} s: {dict(faults.met)}")


def tell(what: str) -> None:
    """Say it to whoever runs this for hours; pytest shows it where the test fails."""
    sys.stdout.write(what + "\n")
    sys.stdout.flush()
