"""What is over is forgotten, whether anybody signs in or not."""

import asyncio
from datetime import timedelta

import pytest

from immuni.portal.factors.store import FactorStore
from immuni.portal.settings import PortalSettings
from immuni.portal.signing_in.purging import Purging
from immuni.portal.signing_in.store import SessionStore
from tests.integration.portal.world import World

pytestmark = pytest.mark.anyio

LEFT = """
    SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM known_browser),
        (SELECT count(*) FROM used_challenge), (SELECT count(*) FROM totp)
"""


def purging_of(world: World) -> Purging:
    return Purging(
        SessionStore(world.pool, world.trail),
        FactorStore(world.pool, world.trail),
        clock=world.clock,
        settings=PortalSettings(),
    )


async def test_everything_is_forgotten_in_its_time_and_not_before(world: World) -> None:
    anna = await world.operator()
    assert (await anna.get("/account/app")).is_success
    until = world.clock.now() + timedelta(minutes=10)
    await world.change("INSERT INTO used_challenge VALUES (sha256(''), %s)", until)
    purging = purging_of(world)

    left = []
    for wait in (timedelta(minutes=9), timedelta(hours=2), timedelta(hours=9), timedelta(days=90)):
        world.clock.advance(wait)
        assert await purging.once()
        left += await world.rows(LEFT)

    assert left == [(1, 1, 1, 1), (1, 1, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0)]


async def test_a_database_that_does_not_answer_is_told_and_asked_again(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    purging = purging_of(world)
    await world.change("ALTER TABLE session RENAME TO gone")
    assert not await purging.once()
    await world.change("ALTER TABLE gone RENAME TO session")

    assert await purging.once()
    assert "purge_failed" in capsys.readouterr().out


async def test_it_begins_at_once_where_the_portal_runs(world: World) -> None:
    await world.operator()
    world.clock.advance(timedelta(hours=11))
    async with purging_of(world).running(), asyncio.timeout(30):
        while await world.rows("SELECT FROM session"):
            pass
