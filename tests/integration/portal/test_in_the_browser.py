"""What only a real browser shows: typing, the keyboard, clocks, colours."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page

from immuni.otp import check_digit, grouped
from tests.axe import find_nothing, violations
from tests.integration.portal.world import PASSWORD, World

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

VECTORS: Final = json.loads(
    (Path(__file__).parents[2] / "vectors/otp.json").read_text(encoding="utf-8")
)
NARROW: Final = 320
"""Width to which WCAG 2.2 wants pages to flow, in pixels."""


@dataclass
class Desk:
    """A tab of a real browser."""

    world: World
    page: Page

    async def open(self, path: str = "/") -> None:
        await self.page.goto(self.world.origin + path)

    async def look(self) -> None:
        """Find nothing that keeps people out or sticks out."""
        await find_nothing(self.page)
        assert await self.page.evaluate("document.documentElement.scrollWidth") <= NARROW

    async def sign_in(self) -> None:
        await self.open()
        await self.page.fill("#user", "anna")
        await self.page.fill("#password", PASSWORD)
        await self.page.press("#password", "Enter")
        await self.page.wait_for_selector("#code")

    async def fill_in(self, code: str, *, day: int = 2) -> None:
        await self.page.fill("#code", code)
        await self.page.locator("input[name=onset]").nth(day).check()

    async def authorise(self, code: str) -> None:
        await self.fill_in(code)
        await self.page.press("#code", "Enter")
        await self.page.wait_for_selector("[data-ring]")


async def desk(
    world: World,
    browser: Browser,
    *,
    width: int = 1280,
    scripts: bool = True,
) -> Desk:
    context = await browser.new_context(
        locale="en-GB",
        viewport={"width": width, "height": 800},
        java_script_enabled=scripts,
    )
    return Desk(world, await context.new_page())


async def test_a_code_is_authorised_with_the_keyboard_alone(world: World, browser: Browser) -> None:
    tab = await desk(world, browser)
    keyboard = tab.page.keyboard
    await tab.open()

    await keyboard.type("anna")
    await keyboard.press("Tab")
    await keyboard.type(PASSWORD)
    await keyboard.press("Enter")
    await tab.page.wait_for_selector("#code")
    await keyboard.type(world.code().lower())
    for key in ("Space", "ArrowRight", "ArrowRight", "Enter"):
        await keyboard.press(key)
    await tab.page.wait_for_selector("#next button:focus")
    await keyboard.press("Enter")
    await tab.page.wait_for_selector("#code:focus")
    await keyboard.type("next")

    assert await tab.page.input_value("#code") == "NEX T"
    ((onset, _, _),) = await world.authorised_codes()
    assert str(onset) == "2020-06-18"


async def test_the_story_works_without_javascript(world: World, browser: Browser) -> None:
    tab = await desk(world, browser, scripts=False)
    await tab.sign_in()

    await tab.page.fill("#code", grouped(world.code()).lower())
    await tab.page.locator("input[name=onset][value=none]").check()
    await tab.page.locator("input[name=tested]").nth(1).check()
    await tab.page.click("button:has-text('Authorise')")
    await tab.page.wait_for_selector("text=The code is authorised")

    ((onset, tested, _),) = await world.authorised_codes()
    assert (onset, str(tested)) == (None, "2020-06-19")


async def test_the_script_judges_codes_as_the_server_does(world: World, browser: Browser) -> None:
    tab = await desk(world, browser)
    await tab.open()
    codes: list[str] = [world.code() for _ in range(200)]
    codes += [code[:-2] + code[-1] + code[-2] for code in codes]
    codes += [each["otp"] for each in VECTORS["valid"]]

    kinds = await tab.page.evaluate(
        "async (codes) => { const { verdict } = await import('/static/code.js');"
        " return codes.map((code) => verdict(code).kind); }",
        codes,
    )

    right = [check_digit(code[:9]) == code[9] for code in codes]
    assert kinds == ["good" if each else "check_digit" for each in right]
    assert right.count(False) > 100


async def test_what_is_typed_is_judged_at_once(world: World, browser: Browser) -> None:
    tab = await desk(world, browser)
    await tab.sign_in()
    code, wrong = "9K2RAY8UUQ", "A"
    verdict, count = tab.page.locator("#code-verdict"), tab.page.locator("#code-count")

    await tab.page.locator("#code").press_sequentially(code[:9])
    assert await count.text_content() == "9 of 10"
    assert await verdict.text_content() == ""
    await tab.page.press("#code", wrong)
    said = await verdict.inner_text()
    assert said.index("Have all of it read again") < said.index("I or 8")
    assert "E or 4" not in (await verdict.inner_text())
    await tab.page.press("#code", "Backspace")
    await tab.page.press("#code", code[-1].lower())
    assert await verdict.text_content() == "The ten characters fit together."
    await tab.page.press("#code", "o")
    assert "There is no O in any code." in (await verdict.inner_text())
    await tab.page.press("#code", "Enter")

    assert tab.page.url == world.origin + "/"
    assert await world.authorised_codes() == []


async def test_groups_do_not_get_in_the_way_of_correcting(world: World, browser: Browser) -> None:
    tab = await desk(world, browser)
    await tab.sign_in()
    code = tab.page.locator("#code")

    async def after(*keys: str) -> str:
        for key in keys:
            await code.press(key)
        return await code.input_value()

    await code.press_sequentially("aefhijklqr")
    assert await code.input_value() == "AEF HIJK LQR"
    assert await after("Backspace", "Backspace", "Backspace") == "AEF HIJK"
    assert await after("Backspace") == "AEF HIJ"
    assert await after("Home", "ArrowRight", "ArrowRight", "ArrowRight", "Delete") == "AEF IJ"
    assert await after("Backspace", "x") == "AEX IJ"


async def test_the_clock_runs_and_says_when_the_time_is_over(
    world: World, browser: Browser
) -> None:
    tab = await desk(world, browser)
    await tab.page.clock.install()
    await tab.sign_in()
    await tab.authorise(world.code())
    clock = tab.page.locator(".ring [data-clock]")

    await tab.page.clock.pause_at(await tab.page.evaluate("Date.now() / 1000 + 1"))
    shown = [await clock.text_content()]
    await tab.page.clock.run_for(60_000)
    shown.append(await clock.text_content())
    await tab.page.clock.run_for(120_000)
    shown.append(await clock.text_content())

    assert shown[0] is not None
    assert shown[1] is not None
    assert seconds(shown[0]) - seconds(shown[1]) == 60
    assert shown[2] == "0:00"
    assert await tab.page.is_visible("h1:has-text('The time is over')")
    assert not await tab.page.is_visible("h1:has-text('The code is authorised')")


def seconds(clock: str) -> int:
    minutes, _, rest = clock.partition(":")
    return int(minutes) * 60 + int(rest)


async def look_at_the_way_in(tab: Desk) -> None:
    await tab.open()
    await tab.look()
    await tab.page.evaluate("document.querySelector('.lead').style.color = '#666'")
    (found,) = await violations(tab.page)
    assert found.startswith("dark: color-contrast"), "the control must be found"
    await tab.open("/sign-in/help")
    await tab.look()
    await tab.open("/nowhere")
    await tab.look()


async def look_at_the_form(tab: Desk) -> None:
    await tab.sign_in()
    await tab.page.locator("input[name=onset][value=none]").check()
    await tab.page.locator("input[name=tested][value=other]").check()
    await tab.look()


async def look_at_the_results(tab: Desk) -> None:
    code = tab.world.code()
    await tab.authorise(code)
    await tab.look()
    await tab.open()
    await tab.fill_in(code)
    await tab.look()
    await tab.page.press("#code", "Enter")
    await tab.page.wait_for_selector("[role=alert]")
    await tab.look()
    tab.world.clock.advance(timedelta(seconds=200))
    await tab.open("/authorised")
    await tab.look()


async def test_no_page_keeps_people_out_sticks_out_of_a_narrow_screen_or_asks_anybody_else(
    world: World, browser: Browser
) -> None:
    tab = await desk(world, browser, width=NARROW)
    complaints: list[str] = []
    requests: list[str] = []
    tab.page.on("console", lambda message: complaints.append(message.text))
    tab.page.on("pageerror", lambda error: complaints.append(str(error)))
    tab.page.on("request", lambda request: requests.append(request.url))

    await look_at_the_way_in(tab)
    await look_at_the_form(tab)
    await look_at_the_results(tab)

    assert all(url.startswith(world.origin + "/") for url in requests)
    assert [each for each in complaints if "409" not in each and "404" not in each] == []


async def test_what_went_wrong_is_in_sight_although_the_button_has_the_focus(
    world: World, browser: Browser
) -> None:
    tab = await desk(world, browser, width=1366)
    await tab.page.set_viewport_size({"width": 1366, "height": 600})
    await tab.sign_in()
    world.wire.cut()
    await tab.fill_in(world.code())
    await tab.page.press("#code", "Enter")
    await tab.page.wait_for_selector("[role=alert]")

    await tab.page.wait_for_function(
        "() => document.querySelector('[role=alert]').getBoundingClientRect().top >= 0"
    )
    assert await tab.page.evaluate("document.activeElement.type") == "submit"


async def in_focus(page: Page) -> str:
    """Return name and value of what has the keyboard; of text, the name alone."""
    return str(
        await page.evaluate(
            "(({ name, value, type }) => name + (type === 'radio' ? ' ' + value : ''))"
            "(document.activeElement)"
        )
    )


async def test_once_the_code_is_whole_the_next_digit_is_the_day(
    world: World, browser: Browser
) -> None:
    tab = await desk(world, browser)
    await tab.sign_in()
    page, keyboard, code = tab.page, tab.page.keyboard, world.code()

    assert not await page.is_visible(".day kbd")
    await keyboard.type(code.lower())
    assert await in_focus(page) == "onset 2020-06-20"
    assert await page.is_visible("#onset-keys")
    await keyboard.press("3")
    assert await page.input_value("#code") == grouped(code)
    assert await page.is_checked("input[name=onset][value='2020-06-17']")
    await keyboard.press("Shift+Tab")
    assert await in_focus(page) == "code"
    # Browsers select all of a field that the keyboard enters.
    await keyboard.press("End")
    await keyboard.press("Backspace")
    await keyboard.type(code[-1])
    assert await in_focus(page) == "onset 2020-06-17"
    await keyboard.press("9")
    await keyboard.press("1")
    await keyboard.press("Enter")
    await page.wait_for_selector("[data-ring]")

    ((onset, tested, _),) = await world.authorised_codes()
    assert (onset, str(tested)) == (None, "2020-06-19")


async def test_whoever_chose_no_day_is_told_in_place_and_in_their_language(
    world: World, browser: Browser
) -> None:
    tab = await desk(world, browser)
    await tab.sign_in()
    await tab.open("/language/de?to=/")
    code = world.code()

    await tab.page.keyboard.type(code)
    await tab.page.keyboard.press("Enter")
    await tab.page.wait_for_selector("#onset-verdict:has-text('Bitte wählen Sie einen Tag.')")

    assert await in_focus(tab.page) == "onset 2020-06-20"
    assert await tab.page.input_value("#code") == grouped(code)
    assert await world.authorised_codes() == []


async def test_on_a_phone_the_header_leaves_the_screen_to_the_work(
    world: World, browser: Browser
) -> None:
    tab = await desk(world, browser, width=360)
    await tab.sign_in()
    for language in ("en", "de", "it", "fr", "es"):
        await tab.open(f"/language/{language}?to=/")
        assert await tab.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert await tab.page.evaluate("document.querySelector('.top').offsetHeight") <= 140
