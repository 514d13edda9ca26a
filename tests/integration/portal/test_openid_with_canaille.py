"""The whole way, with a real provider in a real browser."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from immuni.clock import SystemClock
from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.oidc.providers import Provider
from tests.axe import find_nothing
from tests.chromium import chromium
from tests.integration.portal import canaille
from tests.integration.portal.canaille import TITLE, Canaille, running_canaille
from tests.integration.portal.world import PASSWORD, World, living_world

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Canaille]:
    with running_canaille(tmp_path) as running:
        yield running


@pytest.fixture
async def world(
    portal_database: PortalDatabase,
    services_database: ServicesDatabase,
    certificates: Path,
    region: Canaille,
) -> AsyncIterator[World]:
    async def providers(portal_url: str) -> Sequence[Provider]:
        return [region.register_portal(portal_url)]

    async with living_world(
        portal_database,
        services_database,
        certificates,
        start=SystemClock().now(),
        providers=providers,
    ) as world:
        yield world


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def show_the_region_who_it_is(page: Page) -> None:
    """Sign in at Canaille, which asks for name and password one after the other."""
    await page.wait_for_url("**/login**")
    await page.fill("input[name=login]", canaille.USER)
    await page.click("button[type=submit]")
    await page.fill("input[name=password]", canaille.PASSWORD)
    await page.click("button[type=submit]")


async def press(page: Page, words: str) -> None:
    await page.click(f"button:has-text('{words}')")


@pytest.mark.parametrize("scripts", ["with scripts", "without"])
async def test_the_way_to_a_region_and_back(world: World, browser: Browser, scripts: str) -> None:
    has_scripts = scripts == "with scripts"
    context = await browser.new_context(locale="en-GB", java_script_enabled=has_scripts)
    page = await context.new_page()

    async def see(words: str) -> None:
        await page.wait_for_selector(f"text={words}")
        if has_scripts:
            await find_nothing(page)

    await page.goto(world.origin)
    await see("Good to have you here")

    await press(page, TITLE)
    await show_the_region_who_it_is(page)
    await page.click("button[value=deny]")
    await see("You stopped at")

    await page.click("text=Start again")
    await press(page, TITLE)
    await page.click("button[value=accept]")
    await see("No account here belongs to you yet")

    await page.click("text=Start again")
    await page.fill("#user", "anna")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector("#code")
    await page.goto(world.origin + "/account/providers")
    await see("Not linked")
    await press(page, f"Link {TITLE}")
    await see("Linked since")

    await press(page, "Sign out")
    await press(page, TITLE)
    await page.wait_for_selector("#code")

    assert page.url == world.origin + "/"
    assert "anna" in await page.inner_text(".who")
    cookies = {each["name"]: each for each in await context.cookies(world.origin)}
    assert cookies["immuni-session"]["sameSite"] == "Strict"
    assert "immuni-provider" not in cookies
    events = await world.rows(
        "SELECT coalesce(detail->>'reason', detail->>'proof', action) FROM audit_event"
        " WHERE action IN ('sign_in', 'provider_link') ORDER BY id"
    )
    assert [words for (words,) in events] == [
        "cancelled",
        "not_linked",
        "password",
        "provider_link",
        "provider_one_factor",
    ]
