"""An operator's first day in a real browser, behind a real proxy that serves the portal under a
path prefix: the first steps, an exercise, help, another language, and a call with keys alone.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Request, ViewportSize

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from tests.axe import find_nothing
from tests.integration.portal.proxied import free_port, nginx_with_prefix
from tests.integration.portal.world import PASSWORD, World, living_world

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PREFIX: Final = "/his/desk"
BUDGET_BYTES: Final = 100_000
"""What one page may cost whoever comes for the first time, fonts included."""
PATHS: Final = ("/", "/authorised", "/practice", "/help", "/guide")
LAPTOP: Final = ViewportSize(width=1366, height=768)


@dataclass
class Keyboard:
    """Hands that have no mouse; it counts how often they press a key."""

    page: Page
    presses: int = 0

    async def type(self, text: str) -> None:
        for character in text:
            await self.press(character)

    async def press(self, *keys: str) -> None:
        for key in keys:
            self.presses += 1
            await self.page.keyboard.press(key)


@dataclass
class Visit:
    """A browser that keeps account of what it asks for."""

    world: World
    context: BrowserContext
    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        await self.page.goto(f"{self.world.origin}{PREFIX}{path}")

    async def at(self, path: str) -> None:
        await self.page.wait_for_url(f"{self.world.origin}{PREFIX}{path}")

    async def look(self) -> None:
        """Find nothing that keeps people out."""
        await find_nothing(self.page)


@pytest.fixture
async def visit(
    portal_database: PortalDatabase,
    services_database: ServicesDatabase,
    certificates: Path,
    browser: Browser,
    tmp_path: Path,
) -> AsyncIterator[Visit]:
    port = free_port()
    url = f"http://portal.localhost:{port}{PREFIX}"
    async with (
        living_world(portal_database, services_database, certificates, public_url=url) as world,
        nginx_with_prefix(PREFIX, port=port, portal=world.port, folder=tmp_path),
    ):
        context = await browser.new_context(locale="en-GB", viewport=LAPTOP)
        visit = Visit(world, context, await context.new_page())
        visit.page.on("request", lambda request: visit.requests.append(request.url))
        visit.page.on("console", lambda message: visit.complaints.append(message.text))
        visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        yield visit


async def sign_in(visit: Visit) -> None:
    keyboard = visit.page.keyboard
    await visit.go("/")
    await keyboard.type("anna")
    await keyboard.press("Tab")
    await keyboard.type(PASSWORD)
    await keyboard.press("Enter")
    await visit.page.wait_for_selector("#code")


async def learn(visit: Visit) -> None:
    """Take the first steps, practise, and see on the phone what the person would see."""
    page = visit.page
    await page.click("text=Show me")
    await visit.look()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Step 2 of 3")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Step 3 of 3")
    await page.keyboard.press("Enter")
    await visit.at("/practice")
    await visit.look()
    shown = await page.input_value("input[name=shown]")
    hands = Keyboard(page)
    await hands.type(shown.lower())
    # Whoever is used to it still presses Tab, and the digit finds the days.
    await hands.press("Tab", "3", "Enter")
    await page.wait_for_selector("[data-ring]")
    await visit.look()
    for label in ("The operator has confirmed", "Continue", "Share", "Send now"):
        await page.click(f".phone button:visible:has-text('{label}')")
    assert await page.inner_text(".phone .screen:visible h3") == "Thank you"


async def authorise_with_keys(visit: Visit, code: str) -> int:
    """Authorise and begin the next call, and return how many keys it took."""
    hands = Keyboard(visit.page)
    await hands.type(code.lower())
    await hands.press("3", "Enter")
    await visit.at("/authorised")
    # Hands press what they see; the page is there a moment before its button has the keyboard.
    await visit.page.wait_for_selector("#next button:focus")
    await hands.press("Enter")
    await visit.page.wait_for_selector("#code")
    return hands.presses


async def paste(page: Page, text: str) -> str:
    await page.evaluate("document.getElementById('code').focus()")
    await page.evaluate(
        "(text) => { const input = document.getElementById('code'); input.value = text;"
        " input.dispatchEvent(new InputEvent('input', { inputType: 'insertFromPaste' })); }",
        text,
    )
    return await page.input_value("#code")


async def cost(visit: Visit, path: str) -> int:
    """Return how many bytes a page costs a browser that has nothing of it yet."""
    state = await visit.context.storage_state()
    browser = visit.context.browser
    assert browser is not None
    fresh = await browser.new_context(locale="en-GB", storage_state=state)
    page, finished = await fresh.new_page(), list[Request]()

    def note(request: Request) -> None:
        finished.append(request)

    page.on("requestfinished", note)
    await page.goto(f"{visit.world.origin}{PREFIX}{path}", wait_until="networkidle")
    total = 0
    for request in finished:
        told = await request.sizes()
        total += told["responseBodySize"] + told["responseHeadersSize"]
    await fresh.close()
    return total


async def test_a_first_day_behind_a_proxy_under_a_prefix(visit: Visit) -> None:
    await sign_in(visit)
    await visit.look()
    await learn(visit)
    await visit.go("/help")
    await visit.look()
    await visit.page.click("summary:has-text('English')")
    await visit.page.click("text=Deutsch")
    await visit.at("/help")
    assert await visit.page.get_attribute("html", "lang") == "de"
    await visit.go("/")
    code = visit.world.code()
    pasted = await paste(visit.page, f"Der Code lautet {code[:3]}-{code[3:7]}-{code[7:]}, danke")
    assert pasted.replace(" ", "") == code
    await visit.page.check("input[name=spoken][value=fr]", force=True)
    await visit.page.fill("#code", "")
    await visit.page.focus("#code")

    presses = await authorise_with_keys(visit, code)

    assert presses == len(code) + len(["3", "Enter", "Enter"])
    assert await visit.page.is_checked("input[name=spoken][value=fr]")
    assert await visit.page.is_visible("text=Réglages")
    ((onset, _, _),) = await visit.world.authorised_codes()
    assert str(onset) == "2020-06-17"
    height = await visit.page.evaluate("document.querySelector('#authorise').offsetHeight")
    assert height < LAPTOP["height"]
    hosts = {urlsplit(url).netloc for url in visit.requests}
    assert hosts == {urlsplit(visit.world.origin).netloc}
    assert all(urlsplit(url).path.startswith(PREFIX + "/") for url in visit.requests)
    assert visit.complaints == []
    costs = {path: await cost(visit, path) for path in PATHS}
    assert {path: each for path, each in costs.items() if each > BUDGET_BYTES} == {}


async def test_going_back_reloading_and_a_second_tab_authorise_nothing_twice(
    visit: Visit,
) -> None:
    await sign_in(visit)
    page, code = visit.page, visit.world.code()
    await page.fill("#code", code)
    await page.locator("input[name=onset]").nth(2).check()
    await page.press("#code", "Enter")
    await visit.at("/authorised")

    await page.reload()
    await page.go_back()
    await page.wait_for_selector("#code")
    assert await page.input_value("#code") == ""
    second = await visit.context.new_page()
    await second.goto(f"{visit.world.origin}{PREFIX}/")
    await second.fill("#code", visit.world.code())
    await second.locator("input[name=onset]").nth(2).check()
    await second.press("#code", "Enter")
    await second.wait_for_selector("[data-ring]")
    await page.fill("#code", code)
    await page.locator("input[name=onset]").nth(2).check()
    await page.press("#code", "Enter")
    await page.wait_for_selector("[role=alert]")

    assert "already authorised" in await page.inner_text("[role=alert]")
    assert len(await visit.world.authorised_codes()) == 2
