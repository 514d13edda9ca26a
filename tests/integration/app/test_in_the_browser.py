"""Every screen in every state, in Chromium, by keyboard, as axe and a slow line see it."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page

from immuni.app.phone import Phone
from immuni.app.record import AppRecord
from immuni.app.state import Positive
from tests.axe import find_nothing
from tests.chromium import chromium
from tests.integration.app import walks
from tests.integration.app.tour import PHONE, Visitor
from tests.integration.app.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.timeout(300)]

MOST_BYTES: Final = 150_000
LEAST_BYTES: Final = 40_000
"""The type alone has nearly as many: a page that seems smaller was not weighed whole."""
# What a first visit costs: what the browser still has counts as nothing unless it is fetched anew.
_BYTES: Final = """async () => {
  const parts = performance.getEntriesByType("resource").map(({ name }) => name);
  const kept = new Set(parts.filter((name) => name.includes("/static/")));
  performance.clearResourceTimings();
  await Promise.all([...kept].map(async (name) => {
    const answer = await fetch(name, { cache: "reload" });
    await answer.arrayBuffer();
  }));
  return performance.getEntries()
    .filter(({ entryType }) => ["navigation", "resource"].includes(entryType))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize + 600, 0);
}"""
_HOSTS: Final = """() => performance.getEntriesByType("resource").map(({ name }) => name)"""
_HEIGHT: Final = "document.documentElement.scrollHeight"
_OVERFLOW: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def see(page: Page, name: str) -> None:
    """Find nothing wrong with a screen."""
    # As high as its contents: what a bar lies over at the moment can be scrolled from under it.
    await page.set_viewport_size({"width": PHONE[0], "height": await page.evaluate(_HEIGHT)})
    await find_nothing(page)
    await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    asked = {urlsplit(url).netloc for url in await page.evaluate(_HOSTS)}
    assert asked == {urlsplit(page.url).netloc}, name
    assert LEAST_BYTES < await page.evaluate(_BYTES) < MOST_BYTES, name
    assert await page.evaluate(_OVERFLOW) == 0, name
    assert await page.get_by_role("heading", level=1).count() == 1, name


async def test_the_onboarding_can_be_walked_by_keyboard_and_shuts_nobody_out(
    world: World, browser: Browser
) -> None:
    phone = await walks.walk_the_onboarding(world, Visitor(browser, see))
    await walks.walk_what_only_some_phones_show(world, Visitor(browser, see))

    assert phone.status().active
    assert phone.record.province == "CH"


async def test_home_pauses_fails_and_is_reactivated_by_keyboard(
    world: World, browser: Browser
) -> None:
    await walks.walk_home(world, Visitor(browser, see))


async def test_an_upload_over_a_bad_network_loses_nothing_and_arrives_once(
    world: World, browser: Browser
) -> None:
    phone = await walks.walk_the_upload(world, Visitor(browser, see))

    assert isinstance(phone.status().user, Positive)
    assert len(world.servers.uploads) == 1

    await walks.walk_own_data(phone, Visitor(browser, see))

    assert phone.record == AppRecord()


async def test_a_warning_is_read_understood_and_ended_by_keyboard(
    world: World, met: tuple[Phone, Phone], browser: Browser
) -> None:
    await walks.walk_being_warned(await walks.warn(world, met), Visitor(browser, see))
