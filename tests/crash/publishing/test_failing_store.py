"""The chunk store fails for a while, wherever it is used; the next run makes up for it."""

import os
from typing import Final

import pytest

from tests.crash.publishing.country import Country
from tests.crash.publishing.wishes import Trouble, Wish

STEP: Final = int(os.environ.get("STEP", "24"))
"""The larger, the fewer accesses are tried; `make chaos` tries all."""
LONG: Final = 5
"""Accesses that fail in a row: the store is away for a while."""

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("length", [1, LONG])
async def test_wherever_the_store_fails_nothing_is_lost_or_repeated(
    country: Country, length: int
) -> None:
    first, accesses, failed = 1, length, 0
    while first <= accesses:
        await country.upload()
        trouble = Trouble(first, first + length - 1)
        ended = await country.publish(Wish(now=country.now, trouble=trouble))
        assert ended.error in ("", "store"), ended.error
        failed += ended.error == "store"
        # What the failed run left behind is one more thing for the store to fail at.
        ended = await country.publish(Wish(now=country.now, trouble=trouble))
        assert ended.error in ("", "store"), ended.error
        ended = await country.publish()
        assert ended.code == 0
        await country.check()
        accesses = max(accesses, ended.accesses)
        first += max(length, STEP // 6)
    assert failed > 3


async def test_a_full_disk_leaves_no_half_chunk_that_anybody_is_told_of(country: Country) -> None:
    await country.upload()
    for file_bytes in (0, 1000, 1400):
        ended = await country.publish(Wish(now=country.now, file_bytes=file_bytes))
        assert ended.error == "store", ended
        assert await country.press.chunks.names() == []
        assert country.half_files() == []
    assert (await country.publish()).code == 0
    await country.check()
