"""What only a real browser shows: colours, widths, and what a page asks for."""

from collections.abc import AsyncIterator
from typing import Final, Literal

import httpx
import pytest
from playwright.async_api import Browser, Page

from tests.chromium import chromium

pytestmark = [pytest.mark.anyio, pytest.mark.browser]

PHONE: Final = 390
DESK: Final = 1280
NARROW: Final = 320
"""Width to which WCAG 2.2 wants pages to flow, in pixels."""
SCREENS: Final = {
    NARROW: ["2020-10"],
    PHONE: ["2020-10", "2020-11", "1999-01"],
    DESK: ["2020-10"],
}
"""Which pages are looked at on screens of which width; there is none of 1999. Colours do not depend
on the width."""
CONTRASTS: Final = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if ((numbers(colour)[3] ?? 1) === 1) return colour;
    }
    throw new Error("nothing opaque");
  };
  const poor = [];
  for (const element of document.body.querySelectorAll("*")) {
    const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || element.closest("template, .unseen") || !element.checkVisibility()) continue;
    const lights = [light(getComputedStyle(element).color), light(ground(element))];
    const contrast = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (contrast < 4.5) poor.push(`${element.outerHTML} ${contrast.toFixed(2)}`);
  }
  return poor;
}"""
# The other script looks at the colours of words in HTML; those in SVG are filled.
POOR_IN_PLOTS: Final = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const lights = [light(one), light(other)];
    return (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
  };
  const card = getComputedStyle(document.querySelector("section.card")).backgroundColor;
  const fill = (element) => getComputedStyle(element).fill;
  const poor = [];
  for (const text of document.querySelectorAll("svg text")) {
    let ground = text.previousElementSibling;
    while (ground && ground.tagName !== "rect") ground = ground.previousElementSibling;
    const below = text.matches(".code") ? fill(ground) : card;
    if (contrast(fill(text), below) < 4.5) poor.push(text.outerHTML);
  }
  for (const mark of document.querySelectorAll(
      ".series-1, .series-2, .dot, .curve, .mark-corner, .plot .ground")) {
    const style = getComputedStyle(mark);
    const paint = mark.matches(".curve, .ground") ? style.stroke : style.fill;
    if (contrast(paint, card) < 3) poor.push(mark.outerHTML);
  }
  return [...new Set(poor)];
}"""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def tab(browser: Browser, scheme: Literal["light", "dark"], width: int) -> Page:
    context = await browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}
    )
    return await context.new_page()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_can_be_read_fits_its_screen_and_asks_nobody_else(
    dashboard: httpx.AsyncClient,
    browser: Browser,
    scheme: Literal["light", "dark"],
) -> None:
    origin = str(dashboard.base_url).rstrip("/")
    complaints: list[str] = []
    requests: list[str] = []
    for width, months in SCREENS.items():
        page = await tab(browser, scheme, width)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        for month in months:
            await page.goto(f"{origin}/months/{month}")
            await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

            assert await page.evaluate("document.documentElement.scrollWidth") <= width
            if width == PHONE:
                assert await page.evaluate(CONTRASTS) == []
                assert await page.evaluate(POOR_IN_PLOTS) == []
        await page.context.close()

    assert [each for each in complaints if "400" not in each] == []
    assert requests
    assert all(url.startswith(f"{origin}/") for url in requests)


async def test_the_scripts_that_look_for_poor_contrast_find_it(
    dashboard: httpx.AsyncClient, browser: Browser
) -> None:
    page = await tab(browser, "light", DESK)
    await page.goto(f"{dashboard.base_url}/months/2020-10")

    await page.evaluate("document.querySelector('.soft').style.color = '#888'")
    await page.evaluate("document.querySelector('.code').style.fill = '#8aa'")
    await page.evaluate("document.querySelector('.series-1').style.fill = '#dfe'")

    assert len(await page.evaluate(CONTRASTS)) == 1
    assert len(await page.evaluate(POOR_IN_PLOTS)) == 2


async def test_the_figures_of_a_plot_are_opened_with_the_keyboard(
    dashboard: httpx.AsyncClient, browser: Browser
) -> None:
    page = await tab(browser, "light", PHONE)
    await page.goto(f"{dashboard.base_url}/months/2020-10")
    summary = page.locator("#where ~ * summary", has_text="Read the figures")
    milan = page.get_by_role("row", name="Milano Lombardia")
    assert not await milan.is_visible()

    await summary.focus()
    await page.keyboard.press("Enter")

    assert await milan.is_visible()


async def test_a_withheld_count_is_hatched(dashboard: httpx.AsyncClient, browser: Browser) -> None:
    page = await tab(browser, "light", DESK)
    await page.goto(f"{dashboard.base_url}/months/2020-09")

    hatched = page.locator(".plot .withheld, .tiles .withheld").first
    assert await hatched.evaluate("rect => getComputedStyle(rect).fill") == 'url("#hatch")'
    assert await page.locator("pattern#hatch").count() == 1
