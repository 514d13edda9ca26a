"""Publishers are killed at every moment; the next run loses nothing and repeats nothing."""

import math
import os
import signal
from itertools import count
from typing import Final

import pytest

from immuni.entropy import SystemEntropy
from tests.crash.publishing.country import Country
from tests.crash.publishing.wishes import Wish

RANDOM_KILLS: Final = int(os.environ.get("KILLS", "200"))
"""`make chaos` asks for more."""
COUNTRIES: Final = 4
"""A test in parts: with one long one at the end, all other test processes would wait for it."""
MOST_KILLS_IN_A_ROW: Final = 8

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600 + RANDOM_KILLS)]


@pytest.mark.parametrize("first", range(1, COUNTRIES + 1))
async def test_killed_before_or_after_any_effect_it_loses_and_repeats_nothing(
    country: Country, first: int
) -> None:
    await country.upload()
    ended = await country.publish()
    assert ended.code == 0
    await country.check()

    # The moment that is never reached is the first one beyond the last.
    for moment in count(first, step=COUNTRIES):
        await country.upload()
        ended = await country.publish(Wish(now=country.now, moment=moment))
        if ended.code == 0:
            break
        assert ended.code == -signal.SIGKILL
        assert (await country.publish()).code == 0
        if moment // COUNTRIES % 10 == 0:
            await country.check()
    await country.check()
    assert moment > 100


@pytest.mark.parametrize("kills", [math.ceil(RANDOM_KILLS / COUNTRIES)] * COUNTRIES)
async def test_killed_at_any_moment_again_and_again_it_loses_and_repeats_nothing(
    country: Country, kills: int
) -> None:
    await country.upload()
    entropy, killed, ended = SystemEntropy(), 0, await country.publish()
    assert ended.code == 0
    while killed < kills:
        # What the last one took that lived: this machine may be busier than it was at first.
        seconds = ended.lasted
        await country.upload()
        for _ in range(MOST_KILLS_IN_A_ROW):
            # What lies before is forking and connecting.
            doom = entropy.uniform(seconds / 3, 1.1 * seconds)
            ended = await country.publish(Wish(now=country.now, seconds=doom))
            if ended.code == 0:
                break  # All is published: the next one would have nothing to be killed at.
            assert ended.code == -signal.SIGKILL
            killed += 1
        else:
            ended = await country.publish()
            assert ended.code == 0
        await country.check()
