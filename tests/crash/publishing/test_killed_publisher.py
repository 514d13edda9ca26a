"""Publishers are killed at every moment; the next run loses nothing and repeats nothing."""

import os
import signal
from typing import Final

import pytest

from immuni.entropy import SystemEntropy
from tests.crash.publishing.country import Country, seconds_of_a_run
from tests.crash.publishing.wishes import Wish

RANDOM_KILLS: Final = int(os.environ.get("KILLS", "200"))
"""`make chaos` asks for more."""
KILLS_IN_A_ROW: Final = 8

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600 + RANDOM_KILLS)]


async def test_killed_before_or_after_any_effect_it_loses_and_repeats_nothing(
    country: Country,
) -> None:
    await country.upload()
    ended = await country.publish()
    assert ended.code == 0
    await country.check()

    moment = 0
    while ended.code != 0 or moment == 0:
        moment += 1
        await country.upload()
        ended = await country.publish(Wish(now=country.now, moment=moment))
        assert ended.code in (0, -signal.SIGKILL)
        assert (await country.publish()).code == 0
        if moment % 10 == 0 or ended.code == 0:
            await country.check()

    # The moment that was never reached is the first one beyond the last.
    assert moment > 100


async def test_killed_at_any_moment_again_and_again_it_loses_and_repeats_nothing(
    country: Country,
) -> None:
    seconds = await seconds_of_a_run(country)
    entropy, killed = SystemEntropy(), 0
    while killed < RANDOM_KILLS:
        await country.upload()
        for _ in range(KILLS_IN_A_ROW):
            # What lies before is forking and connecting.
            doom = entropy.uniform(seconds / 3, 1.1 * seconds)
            ended = await country.publish(Wish(now=country.now, seconds=doom))
            killed += ended.code == -signal.SIGKILL
        assert (await country.publish()).code == 0
        await country.check()
