"""PostgreSQL ends in the middle of a run; the next run loses nothing and repeats nothing."""

import os
import signal
from typing import Final

import pytest

from tests.crash.fragile_postgres import WAYS_TO_STOP, FragilePostgres
from tests.crash.publishing.country import Country
from tests.crash.publishing.wishes import Wish

STEP: Final = int(os.environ.get("STEP", "24"))
"""From one moment to the next that is tried; `make chaos` tries all."""

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("way", WAYS_TO_STOP, ids=lambda way: way.name)
async def test_whenever_the_database_is_restarted_nothing_is_lost_or_repeated(
    fragile_country: Country, fragile_postgres: FragilePostgres, way: signal.Signals
) -> None:
    # Each way begins at another moment, so that they try different ones.
    moment, failed = 1 + WAYS_TO_STOP.index(way) * STEP // len(WAYS_TO_STOP), 0
    restarts = 0

    async def restart() -> None:
        nonlocal restarts
        restarts += 1
        fragile_postgres.restart(way)

    halted = True
    while halted:
        before = restarts
        await fragile_country.upload()
        wish = Wish(now=fragile_country.now, moment=moment, halts=True)
        ended = await fragile_country.publish(wish, meanwhile=restart)
        # Where the server was needed once more, the publisher says so; else it did not notice.
        assert ended.error in ("", "database"), ended.error
        failed += ended.error == "database"
        halted = restarts > before
        assert (await fragile_country.publish()).code == 0
        await fragile_country.check()
        moment += STEP
    assert failed > 100 // STEP
