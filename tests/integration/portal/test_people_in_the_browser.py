"""The way in for new people, and their lists, in a real browser."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from immuni.portal.accounts.roles import Role
from tests.axe import find_nothing
from tests.integration.portal.staff import staff
from tests.integration.portal.world import ORGANISATION, PASSWORD, World

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

NEW_PASSWORD = "seven purple umbrellas sing"
LIST = f"user;name;role;organisation\ncarla;Carla;operator;{ORGANISATION}\ndino;=x;operator;y\n"


async def page_of(browser: Browser, *, width: int = 1280, scripts: bool = True) -> Page:
    context = await browser.new_context(
        locale="en-GB",
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
    )
    return await context.new_page()


async def sign_in(world: World, page: Page, role: Role) -> None:
    await staff(world, role)
    await page.goto(f"{world.origin}/sign-in")
    await page.fill("#user", role.value)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url(re.compile(r"^(?!.*sign-in)"))


async def fits(page: Page) -> None:
    """Find nothing that keeps people out, and nothing that sticks out of a narrow screen."""
    await find_nothing(page)
    size: Any = page.viewport_size
    for width in (320, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    await page.set_viewport_size(size)


async def test_somebody_is_invited_joins_and_begins(world: World, browser: Browser) -> None:
    host, guest = await page_of(browser), await page_of(browser)
    asked: list[str] = []
    guest.on("request", lambda request: asked.append(request.url + str(request.headers)))
    await sign_in(world, host, Role.ADMINISTRATOR)
    for path in ("/people", "/people/1", "/people/invite", "/people/invitations", "/organisations"):
        await host.goto(world.origin + path)
        await fits(host)
    await host.goto(f"{world.origin}/organisations/1")
    await fits(host)

    await host.goto(f"{world.origin}/people/invite")
    await host.fill("#name", "Bruno Bianchi")
    await host.click("button:has-text('Make the link')")
    link = await host.inner_text("[data-link]")
    await host.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await host.click("button:has-text('Copy the link')")
    await expect(host.get_by_role("status")).to_have_text("Copied.")
    assert await host.evaluate("navigator.clipboard.readText()") == link
    await fits(host)
    await guest.goto(link)
    await guest.wait_for_selector("#password")
    await fits(guest)
    assert guest.url == f"{world.origin}/join"
    assert link.partition("#")[2] not in "".join(asked)
    await guest.fill("#user", "bruno")
    await guest.fill("#password", NEW_PASSWORD)
    await guest.click("button:has-text('Show')")
    assert await guest.get_attribute("#password", "type") == "text"
    await guest.click("button:has-text('Join')")
    await guest.wait_for_url(re.compile(r"^(?!.*join)"))
    await guest.goto(link)
    await expect(guest.locator("h1")).to_have_text("This invitation is not valid")
    await fits(guest)

    rows = await world.rows("SELECT user_name, display_name, role FROM operator_account")
    assert ("bruno", "Bruno Bianchi", "operator") in rows


async def test_a_list_is_looked_at_applied_and_reported_without_javascript(
    world: World, browser: Browser
) -> None:
    page = await page_of(browser, scripts=False)
    await sign_in(world, page, Role.SUPERVISOR)
    await page.goto(f"{world.origin}/people/import")
    await page.set_input_files(
        "#file", {"name": "list.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
    )
    await page.click("button:has-text('Look at it')")
    await expect(page.locator("h1")).to_have_text("What would happen")
    assert "A cell begins like a formula" in await page.inner_text("main")

    await page.click("button:has-text('Apply the list')")
    await expect(page.locator("h1")).to_have_text("The list was applied")
    async with page.expect_download() as download:
        await page.click("button:has-text('Download the links')")
    file = await (await download.value).path()

    assert "carla;Carla;operator" in file.read_text(encoding="utf-8")
    assert await world.rows("SELECT user_name FROM invitation") == [("carla",)]


async def test_the_pages_of_a_list_keep_nobody_out(world: World, browser: Browser) -> None:
    page = await page_of(browser)
    await sign_in(world, page, Role.SUPERVISOR)
    for content in ("user,name", LIST):
        await page.goto(f"{world.origin}/people/import")
        await page.fill("#list", content)
        await page.click("button:has-text('Look at it')")
        await page.wait_for_selector("h1")
        await fits(page)
    await page.click("button:has-text('Apply the list')")
    await expect(page.locator("h1")).to_have_text("The list was applied")
    await fits(page)
