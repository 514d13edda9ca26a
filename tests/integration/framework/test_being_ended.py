import asyncio
from datetime import timedelta

import pytest

from tests.unit.framework.phones import World

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("turns", range(20, 60))
async def test_a_phone_can_be_ended_at_any_moment(turns: int, world: World) -> None:
    for name in ("one", "other"):
        await world.add_active(name)
    living = asyncio.create_task(world.live(timedelta(days=1)))
    for _ in range(turns):
        await asyncio.sleep(0)

    living.cancel()
    await asyncio.wait([living])

    assert living.cancelled()
