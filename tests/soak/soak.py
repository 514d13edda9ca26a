"""The whole backend under mixed load for a while, looked at all the time."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from immuni.deployment.layout import Layout
from immuni.deployment.roles import Ports
from immuni.export import VerificationKey
from tests.integration.deployment.existing_phone import portal_tls
from tests.running import RunningSystem, running_system
from tests.soak.evidence import FEWEST_SAMPLES, FLOOR, MEAN, Evidence
from tests.soak.housekeeping import Household
from tests.soak.ledger import Ledger
from tests.soak.visits import Answers, Town, visits
from tests.soak.watching import Watch

_AT_ONCE: Final = 200
_SETTLED_WITHIN_SECONDS: Final = 10
SETTINGS: Final[Mapping[str, str]] = {
    # Time runs fast: what takes hours or days in production happens many times here.
    "IMMUNI_CHUNK_PERIOD": "1m",
    "IMMUNI_OTP_LIFETIME": "30s",
    "IMMUNI_OTP_CHECKED_LIFETIME": "30s",
    "IMMUNI_MAX_KEYS_PER_CHUNK": "1000",
    # Small, so that it is full at once, and growth is a leak.
    "IMMUNI_CHUNK_CACHE_BYTES": "262144",
    # All load has one source, whose wrong codes are meant.
    "IMMUNI_OTP_CHECK_RATE": "100000",
    "IMMUNI_RESPONSE_FLOOR": f"{FLOOR.microseconds // 1000}ms",
    "IMMUNI_RESPONSE_MEAN": f"{MEAN.microseconds // 1000}ms",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long, and how much.

    Attributes:
        seconds: For how long visitors come.
        per_second: How many in a second; a few of them send several requests.
        jobs_every_seconds: How often the jobs are run by hand, beside their schedule.
        samples_every_seconds: How often memory and the like are looked at.
        seed: Decides all that visitors draw.
        most_overruns: The share of shaped answers that may be late; None for any.
    """

    seconds: float
    per_second: float
    jobs_every_seconds: float
    samples_every_seconds: float
    seed: int = 1
    most_overruns: float | None = None


async def soak(plan: Plan, folder: Path, told: Callable[[Household], None]) -> Evidence:
    """Run a system in `folder`, let the load come, and return what was seen.

    Args:
        plan: How long, and how much.
        folder: An empty folder.
        told: Called at each sample, for whoever waits.
    """
    with running_system(folder / "data", "--without-phones", environment=SETTINGS) as system:
        household = _household(system, plan)
        await _load(household, plan, told)
        published_at = await household.finish()
        return await _looked_at(household, plan, published_at)


def _household(system: RunningSystem, plan: Plan) -> Household:
    pem = Path(system.told["export_public_key"]).read_bytes()
    town = Town(
        ports=Ports(system.base_port),
        tls=portal_tls(system.told),
        ledger=Ledger(VerificationKey.from_pem(pem)),
        answers=Answers(),
        seed=plan.seed,
    )
    watch = Watch(Layout(system.data_dir), system.told["metrics"])
    return Household(town=town, watch=watch, environment=SETTINGS)


async def _load(household: Household, plan: Plan, told: Callable[[Household], None]) -> None:
    """Let everything go on at once for as long as it is planned."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(plan.seconds, over.set)
    every = plan.samples_every_seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(
            visits(household.town, per_second=plan.per_second, at_once=_AT_ONCE, until=over)
        )
        group.create_task(household.follow(over))
        group.create_task(household.keep_house(over, every_seconds=plan.jobs_every_seconds))
        group.create_task(
            household.sample(over, every_seconds=every, fewest=FEWEST_SAMPLES, told=told)
        )


async def _looked_at(household: Household, plan: Plan, published_at: datetime) -> Evidence:
    watch, town = household.watch, household.town
    return Evidence(
        ledger=town.ledger,
        answers=town.answers,
        samples=household.samples,
        pids=(watch.pids, watch.running()),
        logged=watch.logged(),
        counted=watch.counted(),
        epidemiological=watch.epidemiological(),
        faults=household.faults,
        leftovers=await _leftovers(watch),
        published_at=published_at,
        most_overruns=plan.most_overruns,
    )


async def _leftovers(watch: Watch) -> Mapping[str, int]:
    """Return what stays; a run on schedule may have a file in hand for a moment."""
    found = watch.leftovers()
    for _ in range(_SETTLED_WITHIN_SECONDS):
        if not found:
            break
        await asyncio.sleep(1)
        found = watch.leftovers()
    return found
