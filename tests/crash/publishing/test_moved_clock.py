"""The clock is set forward and back between runs that are killed; no embargo is broken.

What a run publishes was free by the clock of that run, in whatever order the clock and the kills
come; and when the clock is right again, everything is as if it had never been wrong.
"""

import os
from datetime import timedelta
from typing import Final

import pytest

from tests.crash.publishing.country import Country
from tests.crash.publishing.wishes import Wish

STEP: Final = int(os.environ.get("STEP", "24"))
"""From one moment to the next that is tried; `make chaos` tries all."""
BACK_AND_FORTH: Final = (timedelta(days=1), timedelta(days=-1), timedelta(hours=3))

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("by", BACK_AND_FORTH, ids=str)
async def test_killed_by_a_wrong_clock_a_run_leaves_nothing_that_the_right_one_forbids(
    country: Country, by: timedelta
) -> None:
    moment, ended = 1 + BACK_AND_FORTH.index(by) * STEP // len(BACK_AND_FORTH), None
    while ended is None or ended.code:
        await country.upload()
        ended = await country.publish(Wish(now=country.now + by, moment=moment))
        # Right again, but for what the clocks of two machines differ by.
        await country.publish(Wish(now=country.now - timedelta(seconds=1), moment=2 * moment))
        assert (await country.publish()).code == 0
        await country.check()
        moment += STEP
    # What waited is published in its time.
    country.now += timedelta(days=1)
    assert (await country.publish()).code == 0
    await country.check()
