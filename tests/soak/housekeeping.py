"""What the system does by itself in hours and days, done here in seconds."""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from immuni.clock import SystemClock
from immuni.deployment.roles import Role
from tests.running import immuni
from tests.soak.exchange import get
from tests.soak.visits import Town
from tests.soak.watching import Sample, Watch

_KEPT_CHUNKS: Final = 8
_POLL_SECONDS: Final = 0.3
_CAUGHT_UP_WITHIN_SECONDS: Final = 30


@dataclass
class Household:
    """Reads what is published, runs the jobs by hand, and looks at what that leaves behind.

    Attributes:
        town: Whose ledger and answers these are.
        watch: Looks at the system.
        environment: The settings that the system runs with.
        samples: What was seen.
        faults: What should not have been seen.
        runs: How often each job was run by hand.
    """

    town: Town
    watch: Watch
    environment: Mapping[str, str]
    samples: list[Sample] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    runs: dict[str, int] = field(default_factory=dict)

    async def follow(self, until: asyncio.Event) -> None:
        """Read every chunk as soon as the index names it, until the event."""
        while not await _passed(until, _POLL_SECONDS):
            await self.read_new()

    async def read_new(self) -> None:
        """Read the chunks that the index names and that were not read yet."""
        ledger = self.town.ledger
        answer = await self.town.ask("index", Role.GET, get("/v1/keys/index"), 200, 404)
        if answer.status != 200:
            return
        newest = json.loads(answer.body)["newest"]
        if newest < ledger.newest:
            ledger.faults.append(f"the index went back from {ledger.newest} to {newest}")
        for number in range(ledger.newest + 1, newest + 1):
            chunk = await self.town.ask("new chunk", Role.GET, get(f"/v1/keys/{number}"), 200)
            ledger.read(number, chunk.body, SystemClock().now())

    async def keep_house(self, until: asyncio.Event, *, every_seconds: float) -> None:
        """Run the jobs at an even pace, until the event."""
        while not await _passed(until, every_seconds):
            await self.run_jobs()

    async def run_jobs(self) -> None:
        """Publish, age what was read long ago, delete it, move the outbox."""
        await self.publish()
        await asyncio.to_thread(self.watch.age_chunks, self.town.ledger.newest - _KEPT_CHUNKS)
        await asyncio.gather(self.run("outbox"), self._delete())

    async def publish(self) -> datetime:
        """Publish whatever is due, and return when that began."""
        while True:
            begun = SystemClock().now()
            figures = await self.run("publish")
            if not figures.get("overlapped"):
                return begun

    async def finish(self) -> datetime:
        """Publish for the last time, read it, empty the outbox, delete the older chunks."""
        begun = await self.publish()
        async with asyncio.timeout(_CAUGHT_UP_WITHIN_SECONDS):
            while self.town.ledger.newest < self.watch.newest_chunk():
                await self.read_new()
                await asyncio.sleep(_POLL_SECONDS)
        await asyncio.to_thread(self.watch.age_chunks, self.town.ledger.newest - 1)
        await asyncio.gather(self.run("outbox"), self._delete())
        return begun

    async def run(self, job: str) -> Mapping[str, int]:
        """Run a job by hand, as an operator does, and return its figures; none where it failed."""
        command = immuni("jobs", "run", job, "--data-dir", self.watch.layout.root, "--json")
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | dict(self.environment),
        )
        stdout, stderr = await process.communicate()
        if process.returncode != 0:
            self.faults.append(f"the job {job} failed: {stderr.decode(errors='replace').strip()}")
            return {}
        self.runs[job] = self.runs.get(job, 0) + 1
        figures: Mapping[str, int] = json.loads(stdout)["figures"]
        return figures

    async def sample(
        self,
        until: asyncio.Event,
        *,
        every_seconds: float,
        fewest: int,
        told: Callable[["Household"], None],
    ) -> None:
        """Look at what the system takes, at an even pace, and tell of each look.

        Args:
            until: When enough was seen, if it was `fewest` times.
            every_seconds: How long to look away.
            fewest: So many looks it takes, on a machine that is slow too.
            told: Is called after each.
        """
        while not await _passed(until, every_seconds) or len(self.samples) < fewest:
            self.samples.append(await asyncio.to_thread(self.watch.sample))
            told(self)

    async def _delete(self) -> None:
        begun = SystemClock().now()
        await self.run("retention")
        for kind, count in (await asyncio.to_thread(self.watch.overdue, begun)).items():
            self.faults.append(f"retention left {count} {kind}")


async def _passed(event: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until the event, and tell whether it has come."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
