"""Everything between a phone's request for a token and Apple, with short waits."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, LiteralString, TypeVar

from prometheus_client import CollectorRegistry

from immuni.api import AnalyticsToken
from immuni.api.encoding import DeviceToken
from immuni.backend.analytics.devicecheck.answers import (
    Answer,
    Bits,
    DeviceCheck,
    DeviceState,
    Said,
)
from immuni.backend.analytics.devicecheck.metrics import DeviceCheckMetrics
from immuni.backend.analytics.devicecheck.runner import Runner
from immuni.backend.analytics.devicecheck.settings import DeviceCheckSettings
from immuni.backend.analytics.devicecheck.steps import Waits
from immuni.backend.analytics.devicecheck.tokens import Tokens
from immuni.clock import ManualClock
from immuni.database import Pool, open_pool
from immuni.deployment.databases import AnalyticsDatabase
from immuni.entropy import SystemEntropy
from immuni.testing.apple import device_token
from tests.apple import KEY_ID, TEAM_ID, Apple, answering_apple

T = TypeVar("T")
NOON: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)
SETTINGS: Final = DeviceCheckSettings(
    device_check_key_file=Path("of the test"),
    device_check_key_id=KEY_ID,
    device_check_team_id=TEAM_ID,
)
QUICK: Final = Waits(
    max_read_time=timedelta(milliseconds=20),
    check_time=timedelta(milliseconds=100),
    # Nobody hangs here; where somebody does, a test says how long it takes to find out.
    timeout=timedelta(seconds=20),
)


def a_token(number: int, *, device: bytes | None = None) -> AnalyticsToken:
    """Return what the phone of a number sends; with a token of another `device` where given."""
    device = DeviceToken(device or b64decode(device_token(f"phone-{number}")))
    return AnalyticsToken(analytics_token=f"{number:0128x}", device_token=device)


@dataclass
class Desk:
    """What phones reach, and what lies behind it.

    Attributes:
        tokens: Answers phones.
        apple: The stand-in.
        registry: Holds the metrics.
        owner: Connections of the database's owner.
    """

    tokens: Tokens
    apple: Apple
    registry: CollectorRegistry
    owner: Pool

    async def ask(self, *numbers: int) -> list[bool]:
        """Ask for the tokens of phones, as one group."""
        return await self.tokens([a_token(number) for number in numbers])

    async def rows(self) -> list[tuple[str, int]]:
        """Return step and failures of each authorisation that runs."""
        return await self.select(
            "SELECT step, failures FROM analytics.authorisation ORDER BY token_hash"
        )

    async def select(self, query: LiteralString) -> list[Any]:
        """Return what the owner of the database sees."""
        async with self.owner.connection() as connection:
            return await (await connection.execute(query)).fetchall()

    async def select_due(self) -> int:
        """Return how many authorisations are due, or under way."""
        rows = await self.select(
            "SELECT count(*) FROM analytics.authorisation WHERE due_at <= now() OR claims > 0"
        )
        count: int = rows[0][0]
        return count

    async def change(self, statement: LiteralString) -> None:
        """Change something behind everybody's back."""
        async with self.owner.connection() as connection:
            await connection.execute(statement)

    async def all_ended(self, *, within_seconds: float = 60) -> None:
        """Wait until no authorisation runs."""
        await until(self.rows, lambda rows: not rows, within_seconds=within_seconds)

    def bits(self, number: int) -> tuple[bool, bool] | None:
        """Return (bit1, bit0) of a phone."""
        found = self.apple.server.devices.query(f"phone-{number}")
        return None if found is None else (found.bit1, found.bit0)

    def outcomes(self) -> dict[str, int]:
        """Return the outcomes that were counted."""
        return {
            sample.labels["outcome"]: int(sample.value)
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.name == "immuni_device_check_outcomes_total" and sample.value
        }


async def until(
    look: Callable[[], Awaitable[T]], is_so: Callable[[T], bool], *, within_seconds: float = 60
) -> T:
    """Look again and again until something is so."""
    async with asyncio.timeout(within_seconds):
        while not is_so(found := await look()):  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.05)
    return found


@asynccontextmanager
async def a_desk(
    database: AnalyticsDatabase,
    *,
    settings: DeviceCheckSettings = SETTINGS,
    waits: Waits = QUICK,
    runners: int = 1,
    calls: int = 16,
    clock: ManualClock | None = None,
    device_check: DeviceCheck | None = None,
) -> AsyncIterator[Desk]:
    """Answer phones, with so many processes' worth of runners behind.

    Args:
        database: Keeps the authorisations.
        settings: What phones are answered by.
        waits: What the runners wait.
        runners: How many there are.
        calls: How many calls each makes at once.
        clock: Tells the month.
        device_check: Asked in place of the stand-in.
    """
    clock = clock or ManualClock(NOON)
    registry = CollectorRegistry()
    metrics = DeviceCheckMetrics(registry)
    async with (
        open_pool(database.analytics, max_size=4) as pool,
        answering_apple(clock) as apple,
        apple.client(clock, calls=runners * calls) as client,
        open_pool(database.owner, max_size=1) as owner,
    ):
        made = [
            Runner(
                pool,
                device_check or client,
                waits=waits,
                calls=calls,
                metrics=metrics,
                clock=clock,
                entropy=SystemEntropy(),
            )
            for _ in range(runners)
        ]
        async with running(made):
            wake = made[0].due_in if made else lambda _seconds: None
            tokens = Tokens(pool=pool, settings=settings, clock=clock, wake=wake)
            yield Desk(tokens, apple, registry, owner)


@asynccontextmanager
async def running(runners: Iterable[Runner]) -> AsyncIterator[None]:
    """Let several work."""
    async with asyncio.TaskGroup() as group:
        ended = asyncio.Event()

        async def work(runner: Runner) -> None:
            async with runner.running():
                await ended.wait()

        for runner in runners:
            group.create_task(work(runner))
        try:
            yield
        finally:
            ended.set()


@dataclass
class NearBy:
    """A DeviceCheck without a way to it: every device has the same bits.

    Attributes:
        state: What is found.
        most_at_work: How many calls there were at once at most.
    """

    state: DeviceState
    most_at_work: int = 0
    at_work: int = 0

    async def query(self, device_token: bytes, *, within: timedelta) -> Answer:  # noqa: ARG002 - the interface has them
        """Return the bits."""
        await self._work()
        return self.state

    async def update(self, device_token: bytes, bits: Bits, *, within: timedelta) -> Answer:  # noqa: ARG002 - the interface has them
        """Let the bits be as they are."""
        await self._work()
        return Said.WRITTEN

    async def _work(self) -> None:
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        await asyncio.sleep(0.001)
        self.at_work -= 1


THIS_MONTH: Final = date(2020, 6, 1)
