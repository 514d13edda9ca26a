"""Places in the quotas that many ask for at the same instant, in one portal and in two."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from immuni.database import open_pool
from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.accounts.account import Account
from immuni.portal.accounts.store import AccountStore
from immuni.portal.limits.metrics import LimitMetrics
from immuni.portal.limits.places import Places
from immuni.portal.limits.rules import Limit, LimitReachedError
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.limits.warning import Warnings
from tests.integration.portal.world import World, living_world

pytestmark = pytest.mark.anyio

LIMITS: Final = LimitSettings(
    portal_operator_quota=4, portal_organisation_quota=10, portal_warning_floor=6, portal_pace=50
)
COUNTS: Final = "SELECT scope, sum(count), sum(hours[13]) FROM work_day GROUP BY scope ORDER BY 1"


@pytest.fixture
async def world(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[World]:
    async with living_world(
        portal_database, services_database, certificates, limits=LIMITS
    ) as world:
        yield world


@pytest.fixture
async def two_portals(world: World) -> AsyncIterator[list[Places]]:
    """Yield what counts in two processes: each has its own connections."""
    async with AsyncExitStack() as stack:
        url = world.databases[0].portal
        pools = [await stack.enter_async_context(open_pool(url)) for _ in range(2)]
        yield [
            Places(
                pool,
                world.clock,
                ZoneInfo("Europe/Rome"),
                LIMITS,
                Warnings(LimitMetrics(CollectorRegistry())),
            )
            for pool in pools
        ]


async def accounts(world: World, *names: str) -> list[Account]:
    """Return accounts of one organisation, Anna's first."""
    for name in names:
        await world.add_account(name)
    store = AccountStore(world.pool, world.trail)
    found = [await store.account_of_user(name) for name in ("anna", *names)]
    return [account for account in found if account is not None]


async def outcomes(portals: list[Places], asked: list[Account]) -> Counter[str]:
    """Let all ask at once, every second one in the other portal, and count what they are told."""
    answers = await asyncio.gather(
        *(portals[number % 2].take(account) for number, account in enumerate(asked)),
        return_exceptions=True,
    )
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, LimitReachedError):
            raise answer
    return Counter(
        answer.limit if isinstance(answer, LimitReachedError) else "taken" for answer in answers
    )


async def test_two_portals_together_give_away_no_place_too_many(
    world: World, two_portals: list[Places]
) -> None:
    anna, bruno, carla = await accounts(world, "bruno", "carla")

    assert await outcomes(two_portals, [anna] * 8) == {"taken": 4, Limit.QUOTA: 4}
    told = await outcomes(two_portals, [carla, bruno] * 8)

    assert told["taken"] == 6
    assert await world.rows(COUNTS) == [("account", 10, 10), ("organisation", 10, 10)]
    assert set(await world.rows("SELECT kind, scope, count > 6 FROM warning")) == {
        ("much", "organisation", True)
    }


async def test_who_locks_in_whatever_order_they_come_waits_in_no_circle(
    world: World, two_portals: list[Places]
) -> None:
    everybody = await accounts(world, "bruno", "carla", "dario", "elsa", "fabio")

    for _ in range(10):
        await outcomes(two_portals, [*everybody, *reversed(everybody)])
        await world.change("UPDATE work_day SET count = 0, hours = array_fill(0, ARRAY[24])")


async def test_a_switch_stops_whom_it_names_and_nobody_beside_them(
    world: World, two_portals: list[Places]
) -> None:
    anna, bruno = await accounts(world, "bruno")
    await world.change(
        "INSERT INTO stop (scope, subject_id, reason, by_authority, stopped_at, stopped_by)"
        " VALUES ('account', %s, 'x', true, now(), 1)",
        bruno.id,
    )

    told = await outcomes(two_portals, [anna, anna, bruno, bruno])

    assert told == {"taken": 2, Limit.STOPPED_ACCOUNT: 2}
    assert await world.rows(COUNTS) == [("account", 2, 2), ("organisation", 2, 2)]


async def test_a_day_begins_for_all_who_come_at_its_first_instant(
    world: World, two_portals: list[Places]
) -> None:
    everybody = await accounts(world, "bruno", "carla", "dario", "elsa", "fabio")

    assert await outcomes(two_portals, everybody) == {"taken": 6}
    world.clock.advance(timedelta(days=1))
    assert await outcomes(two_portals, everybody) == {"taken": 6}

    rows = await world.rows(
        "SELECT scope, count(*), sum(count) FROM work_day GROUP BY 1 ORDER BY 1"
    )
    assert rows == [("account", 12, 12), ("organisation", 2, 12)]
