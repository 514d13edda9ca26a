"""Passkeys and apps in Chromium, with the authenticator that its own debugger provides."""

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, CDPSession, Page

from immuni.portal.factors.totp import STEP, code_at
from tests.axe import find_nothing
from tests.integration.portal.world import PASSWORD, World

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
KNOWS_NOBODY = AUTHENTICATOR | {
    "transport": "usb",
    "hasUserVerification": False,
    "isUserVerified": False,
}
KEEP_ANSWER = """() => {
  HTMLFormElement.prototype.submit = function () {
    window.answer = this.elements.credential.value;
  };
}"""
SEND_ANSWER = """(answer) => {
  const form = document.querySelector("[data-passkey]");
  form.elements.credential.value = answer;
  HTMLFormElement.prototype.submit.call(form);
}"""
ASK_LESS = """() => {
  const form = document.querySelector("[data-passkey]");
  const options = JSON.parse(form.dataset.options);
  options.userVerification = "discouraged";
  if (options.authenticatorSelection) {
    options.authenticatorSelection = { userVerification: "discouraged" };
  }
  form.dataset.options = JSON.stringify(options);
}"""


@dataclass
class Tab:
    """A tab of a real browser, and the authenticator of its machine."""

    world: World
    page: Page
    machine: CDPSession
    authenticator: str

    async def open(self, path: str) -> None:
        await self.page.goto(self.world.origin + path)

    async def sign_in(self) -> None:
        await self.open("/sign-in")
        await self.page.fill("#user", "anna")
        await self.page.fill("#password", PASSWORD)
        await self.page.press("#password", "Enter")

    async def sign_out(self) -> None:
        await self.page.click("text=Sign out")
        await self.page.wait_for_selector("#user")

    async def add_passkey(self, name: str) -> None:
        await self.open("/account/set-up")
        await self.page.fill("#name", name)
        await self.page.click("text=Add a passkey")

    async def verify_user(self, *, verified: bool) -> None:
        await self.machine.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": self.authenticator, "isUserVerified": verified},
        )

    async def change_authenticator(self, options: dict[str, Any]) -> None:
        await self.machine.send(
            "WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.authenticator}
        )
        made = await self.machine.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.authenticator = made["authenticatorId"]


async def tab_of(world: World, browser: Browser) -> Tab:
    context = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    machine = await context.new_cdp_session(page)
    await machine.send("WebAuthn.enable", {"enableUI": False})
    made = await machine.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return Tab(world, page, machine, made["authenticatorId"])


async def test_a_passkey_is_added_signs_in_proves_again_and_is_taken_away(
    world: World, browser: Browser
) -> None:
    tab = await tab_of(world, browser)
    page = tab.page
    await tab.sign_in()
    await page.wait_for_selector("#code")
    await tab.open("/account/set-up")
    await find_nothing(page)
    await tab.add_passkey("Ward 3")
    await page.wait_for_url("**/account/recovery-codes")
    await find_nothing(page)
    await page.click("text=Make ten codes")
    await page.wait_for_selector(".codes li >> nth=9")
    await find_nothing(page)

    # In one step, with no name typed and no password.
    await tab.sign_out()
    await page.click("text=Use a passkey")
    await page.wait_for_selector("#code")
    # As the second of two.
    await tab.sign_out()
    await tab.sign_in()
    await page.wait_for_selector("h1:has-text('Is it you?')")
    await find_nothing(page)
    await page.click("text=Use a passkey")
    await page.wait_for_selector("#code")
    # Once more, before something that matters.
    world.clock.advance(timedelta(minutes=11))
    await tab.open("/account/set-up")
    await page.click("text=Use a passkey")
    await page.wait_for_url("**/account/set-up")

    await tab.add_passkey("The same device")
    await page.wait_for_selector("text=holds a passkey for you already")
    await tab.open("/account")
    await find_nothing(page)
    assert await page.locator(".device:has-text('Ward 3')").count() == 1
    await page.click("[aria-label='Rename Ward 3']")
    await page.fill("#name-1", "Ward 4")
    await page.click("text=Save")
    await page.click("[aria-label='Take Ward 4 away']")
    await find_nothing(page)
    await page.click("text=Take it away")
    await page.wait_for_selector("text=None yet.")
    await tab.sign_out()
    await page.click("text=Use a passkey")
    await page.wait_for_selector("text=The passkey was refused.")

    proofs = await world.rows(
        "SELECT detail ->> 'proof' FROM audit_event WHERE action IN ('sign_in', 'proof')"
        " AND outcome = 'done' ORDER BY id"
    )
    assert [proof for (proof,) in proofs] == [
        *("password", "passkey", "passkey", "password", "passkey", "passkey")
    ]


async def test_an_answer_without_a_verified_user_or_from_another_origin_is_refused(
    world: World, browser: Browser
) -> None:
    tab = await tab_of(world, browser)
    page = tab.page
    await tab.sign_in()
    await page.wait_for_selector("#code")
    await tab.change_authenticator(KNOWS_NOBODY)
    await tab.open("/account/set-up")
    await page.evaluate(ASK_LESS)
    await page.click("text=Add a passkey")
    await page.wait_for_selector("text=The passkey was not added.")
    assert await world.rows("SELECT * FROM passkey") == []

    await tab.change_authenticator(AUTHENTICATOR)
    await tab.add_passkey("Good")
    await page.wait_for_url("**/account/recovery-codes")
    await tab.sign_out()

    await tab.verify_user(verified=False)
    await page.evaluate(ASK_LESS)
    await page.click("text=Use a passkey")
    await page.wait_for_selector("text=The passkey was refused.")
    await tab.verify_user(verified=True)

    here, answer = world.origin, ""
    elsewhere = here.replace("portal.localhost", "evil.portal.localhost")
    for origin, led_to in ((elsewhere, "text=The passkey was refused."), (here, "#code")):
        await tab.open("/sign-in")
        options = await page.get_attribute("[data-passkey]", "data-options")
        await page.goto(f"{origin}/sign-in")
        await page.evaluate(KEEP_ANSWER)
        await page.evaluate(
            "(options) => { document.querySelector('[data-passkey]').dataset.options = options; }",
            options,
        )
        await page.click("text=Use a passkey")
        await page.wait_for_function("window.answer")
        answer = await page.evaluate("window.answer")
        await tab.open("/sign-in")
        await page.evaluate(SEND_ANSWER, answer)
        await page.wait_for_selector(led_to)

    # Sent a second time the same answer opens nothing: its challenge is used up.
    await tab.sign_out()
    await page.evaluate(SEND_ANSWER, answer)
    await page.wait_for_selector("text=The passkey was refused.")


async def test_an_app_is_set_up_from_what_the_page_shows(world: World, browser: Browser) -> None:
    tab = await tab_of(world, browser)
    page = tab.page
    await tab.sign_in()
    await page.wait_for_selector("#code")
    await tab.open("/account/app")
    await find_nothing(page)
    assert await page.is_visible("svg.qr")
    await page.click("text=Type it instead of scanning")
    secret = base64.b32decode((await page.inner_text("#secret")).replace(" ", ""))

    await page.fill("#code", "000000")
    await page.click("text=Use this app")
    await page.wait_for_selector("text=This is not the code.")
    await page.fill("#code", code_at(secret, world.clock.now()))
    await page.click("text=Use this app")
    await page.wait_for_url("**/account/recovery-codes")
    world.clock.advance(STEP)
    await tab.sign_out()
    await tab.sign_in()
    await page.fill("#code", code_at(secret, world.clock.now()))
    await page.press("#code", "Enter")

    await page.wait_for_selector("text=Authorise a code")


async def test_a_password_can_be_looked_at_and_is_sent_as_one(
    world: World, browser: Browser
) -> None:
    tab = await tab_of(world, browser)
    page = tab.page
    await tab.sign_in()
    await page.wait_for_selector("#code")
    await tab.open("/account/password")
    await find_nothing(page)
    await page.fill("#old", PASSWORD)
    await page.fill("#new", "gatto lampada fiume")
    shown = page.locator("[data-shows=new]")
    await shown.click()
    assert await page.get_attribute("#new", "type") == "text"
    await find_nothing(page)
    await page.press("#new", "Enter")

    await page.wait_for_selector("text=Your password is changed.")
