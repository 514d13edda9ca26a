"""What the App tells its user through the browser, as long as one of its pages is open in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from immuni.app.notifications import Notification
from immuni.app.pages.entrance import COOKIE
from immuni.app.phone import Phone
from tests.chromium import chromium
from tests.integration.app import walks
from tests.integration.app.browser import NAME, SECRET, browsing, pages_of
from tests.integration.app.serving import listening
from tests.integration.app.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.browser, pytest.mark.timeout(240)]

PATIENCE: Final = 60_000
PAUSE: Final = 6_000
"""Milliseconds after which a page has asked anew."""
WARNING: Final = "You may have been exposed"
# Chromium makes them as ever; what it was told is kept, for nobody can read it from its windows.
RECORD: Final = """() => {
  const Real = window.Notification;
  window.made = [];
  window.asked = 0;
  window.Notification = class extends Real {
    constructor(title, options) {
      super(title, options);
      window.made.push(this);
      this.isClosed = false;
    }
    close() { this.isClosed = true; super.close(); }
    static requestPermission() { window.asked += 1; return super.requestPermission(); }
  };
}"""
MADE: Final = """() => window.made.map(({ title, body, tag, lang, requireInteraction }) =>
  ({ title, body, tag, lang, requireInteraction }))"""
PRESS: Final = "() => { window.made[0].dispatchEvent(new Event('click')); }"
Answer = Literal["granted", "denied", "prompt"]


@dataclass(frozen=True)
class Visit:
    """A page of a phone in one window.

    Attributes:
        page: The page.
        url: Where the phone's pages are.
        faults: What the browser complained of.
    """

    page: Page
    url: str
    faults: list[str]

    async def made(self) -> list[dict[str, Any]]:
        """Return the notifications that the page made."""
        made: list[dict[str, Any]] = await self.page.evaluate(MADE)
        return made

    async def asks(self) -> int:
        """Return how often the page asked for permission."""
        asked: int = await self.page.evaluate("window.asked")
        return asked

    async def looks(self) -> None:
        """Let the page ask whether there is something to tell, and take in what it is answered."""
        # The second time tells that the first answer has been taken in.
        for _ in range(2):
            async with self.page.expect_response("**/notifications/untold") as answer:
                await self.page.clock.run_for(PAUSE)
            await (await answer.value).finished()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@asynccontextmanager
async def visiting(
    browser: Browser, phone: Phone, answer: Answer, path: str = "/"
) -> AsyncIterator[Visit]:
    """Open a page of a phone, whose user answers the browser so."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844})
    async with listening(partial(pages_of, phone, None)) as port:
        url = f"http://{NAME}:{port}"
        await context.add_cookies([{"name": COOKIE, "value": SECRET.cookie, "url": url}])
        await context.add_init_script(f"({RECORD})()")
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        await answer_browser(context, page, url, answer)
        await page.clock.install()
        await page.goto(url + path)
        yield Visit(page, url, faults)
        await context.close()


async def answer_browser(context: BrowserContext, page: Page, url: str, answer: Answer) -> None:
    """Answer the browser's question for good, or leave it open."""
    session = await context.new_cdp_session(page)
    target = await session.send("Target.getTargetInfo")
    setting = {
        "permission": {"name": "notifications"},
        "setting": answer,
        "origin": url,
        "browserContextId": target["targetInfo"]["browserContextId"],
    }
    await session.send("Browser.setPermission", setting)


async def shown_by_the_desktop(_notification: Notification) -> bool:
    return True


async def test_an_open_page_tells_of_a_warning_once_and_a_click_leads_to_what_to_do(
    world: World, met: tuple[Phone, Phone], browser: Browser
) -> None:
    phone = met[1]
    async with visiting(browser, phone, "granted", "/settings") as visit:
        await visit.looks()
        assert await visit.made() == []

        await walks.warn(world, met)
        await visit.looks()

        (made,) = await visit.made()
        assert made["title"] == WARNING
        assert made["tag"] == "risk"
        assert made["requireInteraction"]
        assert phone.record.told == phone.record.notifications[-1]
        await visit.page.evaluate(PRESS)
        await visit.page.wait_for_url("**/advice")
        await visit.looks()
        # Neither the next page nor the desktop tells of it again.
        assert await visit.made() == []
        assert visit.faults == []
    assert await told_again(phone) == []


async def told_again(phone: Phone) -> list[Notification]:
    told: list[Notification] = []

    async def show(notification: Notification) -> bool:
        told.append(notification)
        return True

    await phone.teller.tell(show)
    return told


async def test_what_the_desktop_showed_the_browser_does_not(
    world: World, met: tuple[Phone, Phone], browser: Browser
) -> None:
    phone = await walks.warn(world, met)
    assert await phone.teller.tell(shown_by_the_desktop)

    async with visiting(browser, phone, "granted", "/settings") as visit:
        await visit.looks()

        assert await visit.made() == []


async def test_what_the_user_has_seen_elsewhere_is_taken_back(
    world: World, met: tuple[Phone, Phone], browser: Browser
) -> None:
    phone = await walks.warn(world, met)
    async with visiting(browser, phone, "granted", "/settings") as visit:
        await visit.looks()
        assert len(await visit.made()) == 1

        phone.mark_seen()
        await visit.looks()

        assert await visit.page.evaluate("window.made[0].isClosed")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("granted", "This browser tells you what Immuni has to say"),
        ("denied", "This browser is not allowed to notify you"),
        ("prompt", "It will ask you once"),
    ],
)
async def test_the_browser_is_asked_only_when_the_user_presses(
    world: World, met: tuple[Phone, Phone], browser: Browser, answer: Answer, text: str
) -> None:
    phone = await walks.warn(world, met)
    async with visiting(browser, phone, answer, "/settings/notifications") as visit:
        await expect(visit.page.get_by_role("status")).to_contain_text(text)
        button = visit.page.get_by_role("button", name="Allow notifications")
        assert await button.is_visible() is (answer == "prompt")
        assert await visit.asks() == 0
        if answer == "prompt":
            await button.click()
            await visit.page.wait_for_function("window.asked === 1")
        if answer != "granted":
            # Whoever may not show anything does not take it from whoever may.
            assert await visit.made() == []
            assert len(await told_again(phone)) == 1


async def test_two_pages_that_ask_at_once_get_a_notification_once_and_another_site_none(
    world: World, met: tuple[Phone, Phone]
) -> None:
    phone = await walks.warn(world, met)
    async with browsing(phone) as one, browsing(phone, let_in=False) as stranger:
        refused = await stranger.post("/notifications/untold")
        foreign = await one.post("/notifications/untold", origin="http://evil.localhost")
        lured = await one.get("/notifications/untold")
        answers = [await one.post("/notifications/untold") for _ in range(2)]

    assert (refused.status_code, foreign.status_code) == (403, 403)
    assert lured.status_code == 405
    assert [len(answer.json()["untold"]) for answer in answers] == [1, 0]
    assert all(answer.json()["stands"] for answer in answers)
