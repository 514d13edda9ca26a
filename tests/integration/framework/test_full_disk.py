from datetime import timedelta

import pytest

from immuni.framework import InactiveReason, Store, StoreError, StoreFullError
from tests.unit.framework.phones import World

pytestmark = pytest.mark.anyio


def let_grow(store: Store, *, by_pages: int) -> None:
    """Let the database have so many pages more, as on a disk that is nearly full."""
    ((pages,),) = store._database.execute("PRAGMA page_count")
    assert isinstance(pages, int)
    store._database.execute(f"PRAGMA max_page_count = {pages + by_pages}")


async def test_a_full_disk_stops_the_storing_and_nothing_else(world: World) -> None:
    phone = await world.add_active("phone")
    await world.add_active("neighbour", at_metres=1)
    await world.live(timedelta(hours=1))
    store = world.stores["phone"]
    let_grow(store, by_pages=0)

    while InactiveReason.STORE_FULL not in phone.status().reasons:
        await world.live(timedelta(hours=1))
    kept = store.sightings.all()
    keys = store.keys.all()
    await world.live(timedelta(hours=2))

    assert list(store.sightings.all())[: len(kept)] == list(kept)
    assert store.keys.all()[: len(keys)] == keys

    let_grow(store, by_pages=1000)
    await world.live(timedelta(hours=1))

    assert phone.status().active
    assert len(store.sightings.all()) > len(kept)


async def test_a_full_disk_keeps_nobody_on_the_air_who_wants_to_be_off_it(world: World) -> None:
    phone = await world.add_active("phone")
    await world.live(timedelta(hours=1))
    store = world.stores["phone"]
    let_grow(store, by_pages=0)
    with pytest.raises(StoreFullError):
        store.keep_fact("ballast", "x" * 1_000_000)
    store._database.execute("PRAGMA query_only = on")

    with pytest.raises(StoreError):
        await phone.revoke()

    world.pdus.clear()
    await world.live(timedelta(hours=1))
    assert world.pdus == []
    assert InactiveReason.PERMISSION_MISSING in phone.status().reasons
    store._database.execute("PRAGMA query_only = off")
