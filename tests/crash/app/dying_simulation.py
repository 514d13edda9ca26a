"""A sequence of simulated uploads, killed at each of its steps: run by a test.

Every try is a process of its own, on a copy of the same phone, whose sequence is due. A step is a
change of the App's memory or a request, as in `dying_session`. A second process then goes on.
"""

import asyncio
import json
import shutil
import signal
import sys
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from immuni.app.phone import Phone
from immuni.entropy import SeededEntropy
from tests.crash.app.dying_session import STEPS, Asked, DyingStore, in_a_process
from tests.integration.app.servers import Servers
from tests.integration.app.serving import listening
from tests.integration.app.world import START, World


class Daily(SeededEntropy):
    """Draws each sequence for the day after; each has two dummies, one right after the other."""

    def uniform(self, low: float, high: float) -> float:
        """Return the middle."""
        return low + (high - low) / 2

    def exponential(self, mean: float) -> float:
        """Return a day where a sequence waits."""
        return 86_400 if mean > 60 else 0

    def normal(self, mean: float, deviation: float) -> float:  # noqa: ARG002 - the interface has it
        """Return no time at all."""
        return -100


class AsleepError(Exception):
    """Nothing more is due."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a phone.

    Attributes:
        step: At which it was killed, 0 for one that was not.
        before: How many requests were made until it was killed.
        after: How many its next process made by itself.
        next_day: How many it made on the day after.
        visible: What its user was told and what they may read that was sent, in words.
    """

    step: int
    before: int
    after: int
    next_day: int
    visible: str


def main(folder: Path) -> None:
    """Print an outcome for each step, the last one of a phone that was not killed."""
    servers = Servers(START)
    asyncio.run(prepare(folder, servers))
    for step in count(1):
        copy = folder / f"killed-{step}"
        shutil.copytree(folder / "alice", copy / "alice")
        was_killed = in_a_process(lambda: sequence(copy, servers, step)) == -signal.SIGKILL  # noqa: B023 - called here
        if in_a_process(lambda: go_on(copy, servers, step if was_killed else 0)):  # noqa: B023 - called here
            raise SystemExit(f"the phone that was killed at step {step} does not go on")
        if not was_killed:
            return


async def prepare(folder: Path, servers: Servers) -> None:
    """Make a phone that is to send dummies on the next day."""
    world = World(folder, url="http://127.0.0.1:1", servers=servers)
    phone = await world.add_ready("alice", entropy=Daily("alice"))
    await until_asleep(phone)
    servers.now = next_sequence(phone)
    await world.close()


def sequence(folder: Path, servers: Servers, step: int) -> None:
    """Let the phone send its dummies, up to a step."""
    STEPS.deadly = step
    asyncio.run(lives(folder, servers, days=1))


def go_on(folder: Path, servers: Servers, step: int) -> None:
    """Take the phone up again, on the same day and on the next, and print what became of it."""
    before, same, later, visible = asyncio.run(lives(folder, servers, days=2))
    outcome = Outcome(
        step=step, before=before, after=same - before, next_day=later - same, visible=visible
    )
    print(json.dumps(asdict(outcome)))  # noqa: T201 - read by the test


async def lives(folder: Path, servers: Servers, *, days: int) -> tuple[int, int, int, str]:
    """Let the phone do by itself what is due on each day; return its requests so far, by day."""
    file = folder / "asked"
    servers.asked = Asked(file)
    async with listening(lambda _port: servers.app()) as port:
        world = World(folder, url=f"http://127.0.0.1:{port}", servers=servers)
        world.store_type = DyingStore
        phone = await world.add("alice", entropy=Daily("alice"))
        counts = [requests_in(file)]
        for _ in range(days):
            await until_asleep(phone)
            counts.append(requests_in(file))
            world.pass_over(next_sequence(phone) - world.clock.now())
        record = phone.record
        visible = f"{record.notifications} {record.unseen} {record.sent} {record.user}"
        await world.close()
    return counts[0], counts[1], counts[-1], visible


async def until_asleep(phone: Phone) -> None:
    """Let the phone send simulated uploads until it would sleep."""

    async def sleep(seconds: float) -> None:
        if seconds > 0:
            raise AsleepError

    phone._simulation.sleep = sleep
    try:
        await phone.simulate_uploads()
    except AsleepError:
        return


def next_sequence(phone: Phone) -> datetime:
    """Return when the next sequence is due."""
    assert phone.record.simulation is not None
    return phone.record.simulation.opens_at


def requests_in(file: Path) -> int:
    """Return how many requests servers have noted."""
    return len(file.read_text(encoding="ascii").split()) if file.exists() else 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
