"""A supervisor's and an operator's pages, as a browser shows them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.accounts.roles import Role
from immuni.portal.limits.settings import LimitSettings
from tests.axe import find_nothing
from tests.integration.portal.world import PASSWORD, World, living_world

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

LIMITS: Final = LimitSettings(portal_operator_quota=4, portal_warning_floor=2)
NARROW: Final = 320
HISTORY: Final = """
    INSERT INTO work_day (scope, subject_id, day, count, quota, warn_above)
    SELECT 'organisation', 1, date '2020-06-20' - ago, (ago * 37) % 61, 0, 0
    FROM generate_series(1, 27) AS ago
"""


@pytest.fixture
async def world(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[World]:
    async with living_world(
        portal_database, services_database, certificates, limits=LIMITS
    ) as world:
        yield world


async def signed_in(world: World, browser: Browser, user: str) -> Page:
    context = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    await page.goto(world.origin + "/sign-in")
    await page.fill("#user", user)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url(world.origin + "/")
    return page


async def look(page: Page) -> None:
    """Find nothing that keeps people out, also where the page is as narrow as WCAG wants."""
    await find_nothing(page)
    size = page.viewport_size
    await page.set_viewport_size({"width": NARROW, "height": 800})
    assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW
    if size is not None:
        await page.set_viewport_size(size)


async def test_a_supervisor_stops_an_operator_in_a_few_presses_and_lets_go(
    world: World, browser: Browser
) -> None:
    operator = await world.operator()
    for _ in range(5):
        await operator.authorise(world.code())
    await world.change(HISTORY)
    await world.add_account("vera", role=Role.SUPERVISOR)
    page = await signed_in(world, browser, "vera")

    await page.click("nav >> text=Warnings")
    card = page.locator("li", has_text="The quota of a day was reached")
    await card.locator("summary", has_text="Stop").click()
    await card.locator("input[name=reason]").fill("Strange calls at night")
    await look(page)
    await card.locator("button", has_text="Stop").click()
    await page.wait_for_selector("text=Strange calls at night")
    await page.wait_for_selector("text=Stopped: no code can be authorised there")
    seen = (await operator.get()).text
    assert "Authorising is stopped for your account" in seen
    assert "Nothing was sent" not in seen

    world.clock.advance(timedelta(minutes=11))
    await page.click("summary:has-text('End the stop')")
    await page.click("button:has-text('Allow codes again')")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector("text=Please press once more what you had chosen.")
    await look(page)
    assert "Authorising is stopped for your account" in (await operator.get()).text
    await page.click("summary:has-text('End the stop')")
    await page.click("button:has-text('Allow codes again')")
    await page.wait_for_selector("text=The stop has ended")
    assert "Authorising is stopped" not in (await operator.get()).text

    await page.click("nav >> text=Totals")
    await look(page)


async def test_an_operator_looks_at_their_own_day(world: World, browser: Browser) -> None:
    operator = await world.operator()
    for _ in range(5):
        await operator.authorise(world.code())
    page = await signed_in(world, browser, "anna")

    await page.click("nav >> text=My day")
    await look(page)

    assert await page.locator("tbody tr").count() == 5
    assert await page.locator("text=Not sent: a limit or a stop").count() == 1
