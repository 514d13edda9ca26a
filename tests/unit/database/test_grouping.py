import asyncio
import gc
import weakref
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from psycopg import OperationalError

from immuni.backend.errors import OtpUnknownError, UnavailableError
from immuni.database.grouping import Grouped
from immuni.errors import ImmuniError

pytestmark = pytest.mark.anyio


class Work:
    """Doubles numbers when it is let go; refuses odd ones, and breaks on 13."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.going = asyncio.Event()
        self.going.set()

    async def __call__(self, group: Sequence[int]) -> list[int | ImmuniError]:
        self.groups.append(list(group))
        await self.going.wait()
        if 13 in group:
            raise ZeroDivisionError
        return [OtpUnknownError(str(each)) if each % 2 else 2 * each for each in group]


async def test_what_comes_while_a_group_is_at_work_is_the_next_group() -> None:
    work = Work()
    work.going.clear()
    double = Grouped(work, max_groups=1)
    first = asyncio.create_task(double(0))
    await settled()
    rest = [asyncio.create_task(double(each)) for each in (2, 4, 6)]
    await settled()
    assert work.groups == [[0]]

    work.going.set()

    assert await asyncio.gather(first, *rest) == [0, 4, 8, 12]
    assert work.groups == [[0], [2, 4, 6]]


async def test_what_comes_in_one_turn_is_one_group() -> None:
    work = Work()
    double = Grouped(work)

    assert await asyncio.gather(*(double(2 * each) for each in range(10))) == list(range(0, 40, 4))
    assert len(work.groups) == 1


async def test_the_first_waits_a_moment_for_others() -> None:
    work = Work()
    double = Grouped(work, patience=timedelta(milliseconds=200))
    first = asyncio.create_task(double(0))
    await settled()
    assert work.groups == []

    assert await double(2) == 4
    assert await first == 0

    assert work.groups == [[0, 2]]


async def test_nobody_waits_for_ever_when_the_loop_ends_a_group_that_gathers() -> None:
    work = Work()
    double = Grouped(work, patience=timedelta(hours=1))
    waiting = asyncio.create_task(double(2))
    await settled()

    the_group().cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.groups == []


async def test_a_group_that_waits_does_not_hold_up_the_next() -> None:
    work = Work()
    work.going.clear()
    double = Grouped(work, max_groups=2)
    stuck = asyncio.create_task(double(0))
    await settled()
    work.going = asyncio.Event()
    work.going.set()

    assert await double(2) == 4
    assert not stuck.done()
    stuck.cancel()


async def test_a_group_has_its_limit() -> None:
    work = Work()
    double = Grouped(work, max_size=4, max_groups=1)

    await asyncio.gather(*(double(2 * each) for each in range(10)))

    assert [len(group) for group in work.groups] == [4, 4, 2]


async def test_each_is_refused_for_itself() -> None:
    double = Grouped(Work())

    outcomes = await asyncio.gather(*(double(each) for each in (1, 2, 3)), return_exceptions=True)

    assert [str(each) for each in outcomes] == ["1", "4", "3"]


async def test_a_fault_stays_with_the_item_that_brings_it() -> None:
    double = Grouped(Work())

    outcomes = await asyncio.gather(*(double(each) for each in (2, 13, 4)), return_exceptions=True)

    assert outcomes[0] == 4
    assert isinstance(outcomes[1], ZeroDivisionError)
    assert outcomes[2] == 8


@pytest.mark.parametrize("outage", [UnavailableError("away"), OperationalError("away")])
async def test_an_outage_is_told_to_all_and_tried_once(outage: Exception) -> None:
    tries = 0

    async def away(_group: Sequence[int]) -> list[int | ImmuniError]:
        nonlocal tries
        tries += 1
        raise outage

    double = Grouped[int, int](away)

    outcomes = await asyncio.gather(*(double(each) for each in range(5)), return_exceptions=True)

    assert {type(each) for each in outcomes} == {type(outage)}
    assert tries == 1


async def test_who_goes_away_takes_nothing_from_the_others() -> None:
    work = Work()
    work.going.clear()
    double = Grouped(work)
    gone, stays = (asyncio.create_task(double(each)) for each in (2, 4))
    await settled()
    gone.cancel()
    await settled()

    work.going.set()

    assert await stays == 8


async def test_whoever_comes_at_the_very_end_of_a_group_is_not_forgotten() -> None:
    double = Grouped(Work(), max_groups=1)

    async def one_after_the_other(first: int) -> None:
        for each in range(first, first + 200, 2):
            assert await double(each) == 2 * each

    async with asyncio.timeout(30):
        await asyncio.gather(*(one_after_the_other(2 * each) for each in range(10)))


async def test_nobody_waits_for_ever_when_the_loop_ends_a_group() -> None:
    work = Work()
    work.going.clear()
    double = Grouped(work)
    waiting = asyncio.create_task(double(2))
    await settled()

    the_group().cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_refusal_leaves_no_circle_that_holds_what_was_sent() -> None:
    class Body:
        """Stands for what a request brought."""

    double = Grouped(Work())
    seen: list[weakref.ref[Body]] = []

    async def ask() -> int:
        body = Body()
        seen.append(weakref.ref(body))
        return await double(1)

    gc.disable()
    try:
        with suppress(OtpUnknownError):
            await ask()
        await settled()

        assert seen[0]() is None
    finally:
        gc.enable()


def the_group() -> "asyncio.Task[object]":
    """Return the only task that works on a group."""
    [group] = [each for each in asyncio.all_tasks() if "_work_on" in repr(each)]
    return group


async def settled() -> None:
    """Let everything happen that can."""
    for _ in range(5):
        await asyncio.sleep(0)
