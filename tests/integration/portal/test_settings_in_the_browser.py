"""Two administrators at two browsers, and a phone that asks what it is to live by."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.accounts.roles import Role
from tests.axe import find_nothing
from tests.contract.test_generated_requests import configuration, on_the_get_host
from tests.integration.portal.settings_world import SettingsWorld, settings_world
from tests.integration.portal.world import PASSWORD

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NARROW = 320
"""Width to which WCAG 2.2 wants pages to flow, in pixels."""


@pytest.fixture
async def here(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[SettingsWorld]:
    async with settings_world(portal_database, services_database, certificates) as world:
        yield world


async def administrator(here: SettingsWorld, browser: Browser, user: str) -> Page:
    """Sign an administrator in, at a browser of their own with a narrow window."""
    await here.world.add_account(user, role=Role.ADMINISTRATOR)
    context = await browser.new_context(
        locale="en-GB", viewport={"width": NARROW, "height": 800}, base_url=here.world.origin
    )
    page = await context.new_page()
    await page.goto("/sign-in")
    await page.fill("#user", user)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.get_by_role("button", name="Sign out").wait_for()
    return page


async def look(page: Page) -> None:
    """Find nothing that keeps people out or sticks out."""
    await find_nothing(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= NARROW


async def propose(page: Page, reason: str) -> None:
    """Tick every danger, say why, and propose."""
    for tick in await page.locator("input[name^=danger-]").all():
        await tick.check()
    await page.fill("#reason", reason)
    await page.get_by_role("button", name="Propose").click()
    await page.wait_for_url("**/settings/proposals/*")


async def approve(page: Page, number: int) -> None:
    """Follow the notice to a proposal, tick every danger, and approve."""
    await page.goto("/settings")
    await page.get_by_role("link", name=f"Proposal {number} of").click()
    await page.wait_for_url("**/settings/proposals/*")
    for tick in await page.locator("input[name^=danger-]").all():
        await tick.check()
    await page.get_by_role("button", name="Approve and publish").click()
    await page.get_by_text("published as version").wait_for()


async def test_a_change_reaches_a_phone_by_two_people_and_goes_back_the_same_way(
    here: SettingsWorld, browser: Browser, services_database: ServicesDatabase, tmp_path: Path
) -> None:
    ada = await administrator(here, browser, "ada")
    grace = await administrator(here, browser, "grace")
    async with on_the_get_host(configuration(services_database, tmp_path)) as phone:

        async def told(version: int) -> object:
            """Return what a phone is told once the service has taken a version over."""
            while True:
                answer = await phone.get("/v1/settings?platform=android&build=130")
                if answer.headers["immuni-settings-version"] == str(version):
                    return answer.json()

        await ada.goto("/settings")
        await look(ada)
        await ada.goto("/settings?q=telephone+for+help")
        await ada.get_by_role("link", name="Change Telephone for help").click()
        await ada.fill("[id=value]", "1500")
        await look(ada)
        await ada.get_by_role("button", name="Take into my draft").click()
        await ada.wait_for_url("**/settings/draft")
        await propose(ada, "a telephone at last")
        await look(ada)
        assert await ada.get_by_role("button", name="Approve and publish").count() == 0
        await approve(grace, 1)
        await look(grace)
        assert await told(1) == {"support_phone": "1500"}

        await ada.goto("/settings/change/minimum_build_version")
        await ada.fill("[id=value]", "abc")
        await ada.get_by_role("button", name="Take into my draft").click()
        await ada.get_by_text("not a number").wait_for()
        await look(ada)
        await ada.fill("[id=value]", "140")
        await ada.get_by_role("button", name="Take into my draft").click()
        await ada.get_by_text("builds below 140 detect no more").first.wait_for()
        await look(ada)
        await propose(ada, "builds before 140 crash")
        await grace.goto("/settings/proposals/2")
        await look(grace)
        await approve(grace, 2)
        assert await told(2) == {"support_phone": "1500", "minimum_build_version": 140}

        # An emergency: from the history to a proposal in three clicks.
        await grace.goto("/settings/history")
        await look(grace)
        await grace.get_by_role("link", name="Version 1").click()
        await look(grace)
        await propose(grace, "130 does not crash")
        await approve(ada, 3)
        assert await told(3) == {"support_phone": "1500"}
        await ada.goto("/settings/proposals")
        await look(ada)
