"""Two publishers at once, as processes, both killed; nothing is lost and nothing repeated."""

import os
import signal
from typing import Final

import pytest

from immuni.entropy import SystemEntropy
from tests.crash.publishing.country import Country
from tests.crash.publishing.dying_publisher import SETTINGS
from tests.crash.publishing.wishes import Wish

KILLS: Final = int(os.environ.get("KILLS", "200")) // 20
"""`make chaos` asks for more."""
STEP: Final = int(os.environ.get("STEP", "24"))
"""From one moment to the next that is tried; `make chaos` tries all."""
PAIRS_IN_A_ROW: Final = 4

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600 + 10 * KILLS)]


async def test_of_two_that_are_left_alone_one_publishes_and_both_end_well(
    country: Country,
) -> None:
    for _ in range(3):
        await country.upload()
        one = two = Wish(now=country.now)
        assert [ended.code for ended in await country.publish_at_once(one, two)] == [0, 0]
        await country.check()


async def test_of_two_both_killed_at_any_moment_nothing_is_lost_or_repeated(
    country: Country,
) -> None:
    entropy, killed = SystemEntropy(), 0
    while killed < KILLS:
        await country.upload()
        undisturbed = await country.publish()
        assert undisturbed.code == 0
        seconds = undisturbed.lasted
        await country.upload()
        for _ in range(PAIRS_IN_A_ROW):
            one, two = (
                Wish(now=country.now, seconds=entropy.uniform(seconds / 3, 1.5 * seconds))
                for _ in range(2)
            )
            ended = await country.publish_at_once(one, two)
            killed += sum(each.code == -signal.SIGKILL for each in ended)
        assert (await country.publish()).code == 0
        await country.check()


async def test_while_one_stands_still_at_any_moment_another_one_does_no_harm(
    country: Country,
) -> None:
    async def another() -> None:
        async with country.press.publisher(SETTINGS, seed=str(moment)) as publisher:
            await publisher.publish()

    moment, ended = 1, await country.publish()
    while moment < ended.moments:
        await country.upload()
        wish = Wish(now=country.now, moment=moment, halts=True)
        ended = await country.publish(wish, meanwhile=another)
        assert ended.code == 0, ended.error
        assert (await country.publish()).code == 0
        await country.check()
        moment += STEP
