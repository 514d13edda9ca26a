"""Every screen in German, whose words are the longest, with text twice as large, by keyboard."""

from collections.abc import AsyncIterator
from typing import Final

import pytest
from playwright.async_api import Page

from immuni.app.phone import Phone
from tests.chromium import chromium
from tests.integration.app import walks
from tests.integration.app.tour import Visitor
from tests.integration.app.world import World
from tests.reflow import faults

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.timeout(300)]

LARGE_PERCENT: Final = 200
SMALL: Final = (320, 640)


async def see(page: Page, name: str) -> None:
    """Find no word cut off or torn, and nothing too small to hit."""
    assert await faults(page) == [], name


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    async with chromium(text_percent=LARGE_PERCENT) as browser:
        yield Visitor(browser, see, language="de", size=SMALL)


async def test_the_onboarding_fits_a_small_phone_in_large_german(
    world: World, visitor: Visitor
) -> None:
    await walks.walk_the_onboarding(world, visitor)
    await walks.walk_what_only_some_phones_show(world, visitor)


async def test_home_in_every_state_fits_a_small_phone_in_large_german(
    world: World, visitor: Visitor
) -> None:
    await walks.walk_home(world, visitor)


async def test_an_upload_fits_a_small_phone_in_large_german(world: World, visitor: Visitor) -> None:
    await walks.walk_own_data(await walks.walk_the_upload(world, visitor), visitor)


async def test_a_warning_fits_a_small_phone_in_large_german(
    world: World, met: tuple[Phone, Phone], visitor: Visitor
) -> None:
    await walks.walk_being_warned(await walks.warn(world, met), visitor)
