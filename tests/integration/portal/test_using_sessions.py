"""What a request costs a session: nothing, most of the time, and yet its end counts at once."""

import asyncio
from datetime import timedelta
from typing import LiteralString

import pytest

from tests.integration.portal.world import World

pytestmark = pytest.mark.anyio

LAST_SEEN = "SELECT last_seen_at, xmin::text FROM session"
IDLE = timedelta(minutes=30)


async def test_a_session_that_was_just_used_is_looked_at_and_not_written(world: World) -> None:
    operator = await world.operator()
    [before] = await world.rows(LAST_SEEN)

    world.clock.advance(timedelta(seconds=59))
    await asyncio.gather(*(operator.get() for _ in range(5)))
    assert await world.rows(LAST_SEEN) == [before]

    world.clock.advance(timedelta(seconds=1))
    await operator.get()
    assert await world.rows("SELECT last_seen_at FROM session") == [(world.clock.now(),)]


async def test_a_session_that_is_used_slides_and_one_that_is_not_ends(world: World) -> None:
    operator = await world.operator()

    for _ in range(4):
        world.clock.advance(IDLE - timedelta(minutes=1))
        assert (await operator.get()).status_code == 200
    world.clock.advance(IDLE)

    assert (await operator.get()).headers["location"] == "/sign-in?ended"


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE session SET ended_at = now()",
        "UPDATE operator_account SET deactivated_at = now()",
        "UPDATE organisation SET closed_at = now()",
    ],
)
async def test_what_ends_a_session_counts_for_the_next_request(
    world: World, end: LiteralString
) -> None:
    operator = await world.operator()
    form = await operator.form(code=world.code(), onset="2020-06-18")

    await world.change(end)
    answers = await asyncio.gather(operator.get(), operator.post("/authorise", form))

    assert {each.headers["location"] for each in answers} == {"/sign-in?ended"}
    assert await world.authorised_codes() == []


async def test_requests_of_one_moment_are_each_their_own_account(world: World) -> None:
    names = ["bruno", "carla", "dario"]
    for name in names:
        await world.add_account(name)
    operators = [await world.operator(name) for name in ["anna", *names]]

    pages = await asyncio.gather(*(each.get("/account") for each in operators))

    assert [name in page.text for name, page in zip(["Anna", *names], pages, strict=True)]
    for name, page in zip(names, pages[1:], strict=True):
        assert [other for other in names if other in page.text] == [name]
