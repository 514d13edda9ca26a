"""A user on the way through the App by keyboard, and somebody who looks over their shoulder."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from playwright.async_api import Browser, Locator, Page, expect

from immuni.app.pages.entrance import COOKIE
from immuni.app.pages.language import Language, language_of
from immuni.app.phone import Phone
from tests.integration.app.browser import NAME, SECRET, pages_of
from tests.integration.app.serving import listening

See = Callable[[Page, str], Awaitable[None]]
"""Looks at a screen, which has a name."""

PHONE: Final = (390, 844)
PATIENCE: Final = 60_000
"""Milliseconds after which a screen is given up that does not come; a busy machine is slow."""

_MOST_STOPS: Final = 60
# What has the focus shows it, and neither bar lies over its middle.
_SHOWS_FOCUS: Final = """() => {
  const focused = document.activeElement;
  const shown = focused.closest(".choice") ?? focused;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  if (outlineStyle === "none" || parseFloat(outlineWidth) < 2) return "shows no focus";
  const { left, top, width, height } = shown.getBoundingClientRect();
  const above = document.elementFromPoint(left + width / 2, top + height / 2);
  if (!above || !(shown.contains(above) || above.contains(shown))) return "lies under something";
  return "";
}"""
_NAME_OF_FOCUSED: Final = "document.activeElement.outerHTML.slice(0, 200)"
_IS_AMONG: Final = """element => {
  const focused = document.activeElement;
  return focused.type === "radio" && focused.name === element.name;
}"""
_HAS_FOCUS: Final = "element => element === document.activeElement"


@dataclass(frozen=True)
class Visitor:
    """Somebody who looks at the App.

    Attributes:
        browser: With what.
        see: Looks at each screen.
        language: The code of the language that the browser asks for.
        size: Width and height of the window.
    """

    browser: Browser
    see: See
    language: str = "en"
    size: tuple[int, int] = PHONE


@dataclass(frozen=True)
class Tour:
    """One phone in one browser.

    Whatever is looked for is named in English, and found in the language of the tour.

    Attributes:
        phone: Whose pages.
        page: Where they are shown.
        url: Where they are served.
        see: Looks at each screen.
        language: What the pages speak.
    """

    phone: Phone
    page: Page
    url: str
    see: See
    language: Language

    async def open(self, path: str) -> None:
        """Go to a page."""
        await self.page.goto(self.url + path)

    async def look(self, name: str, heading: str) -> None:
        """Expect a screen by its heading, and have it looked at."""
        await self.reads(heading)
        await self.page.wait_for_load_state("load")
        await self.see(self.page, name)

    async def visit(self, path: str, name: str, heading: str) -> None:
        """Go to a page and have it looked at."""
        await self.open(path)
        await self.look(name, heading)

    async def reads(self, heading: str) -> None:
        """Expect a screen by its heading."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(
            self.language.text(heading), timeout=PATIENCE
        )

    async def tells(self, role: Literal["alert", "status"], text: str) -> Locator:
        """Expect what is said aloud, as a warning or in passing; return where it stands."""
        place = self.page.get_by_role(role)
        await expect(place).to_contain_text(self.language.text(text), timeout=PATIENCE)
        return place

    async def choose(self, label: str) -> None:
        """Mark a box or a choice, by keyboard."""
        await self._walk_to(self.page.get_by_label(self.language.text(label), exact=True))
        await self.page.keyboard.press("Space")

    async def press(self, *names: str) -> None:
        """Follow a link or press a button, by keyboard; some have a name of several texts."""
        name = " ".join(map(self.language.text, names))
        button = self.page.get_by_role("button", name=name, exact=True)
        link = self.page.get_by_role("link", name=name, exact=True)
        await self._walk_to(button.or_(link).first)
        await self.page.keyboard.press("Enter")

    async def _walk_to(self, target: Locator) -> None:
        await expect(target).to_be_visible(timeout=PATIENCE)
        for _ in range(_MOST_STOPS):
            if await target.evaluate(_HAS_FOCUS):
                return
            # Of choices that exclude each other the first tab stop stands for all.
            is_among = await target.evaluate(_IS_AMONG)
            await self.page.keyboard.press("ArrowDown" if is_among else "Tab")
            fault = await self.page.evaluate(_SHOWS_FOCUS)
            assert not fault, f"{await self.page.evaluate(_NAME_OF_FOCUSED)} {fault}"
        raise AssertionError(f"the keyboard does not reach {target}")


@asynccontextmanager
async def touring(visitor: Visitor, phone: Phone) -> AsyncIterator[Tour]:
    """Serve a phone's pages and open the visitor's browser on them."""
    language = language_of(visitor.language)
    width, height = visitor.size
    context = await visitor.browser.new_context(
        locale=language.tag,
        viewport={"width": width, "height": height},
        device_scale_factor=1,
        permissions=["clipboard-read", "clipboard-write"],
    )
    async with listening(partial(pages_of, phone, None)) as port:
        url = f"http://{NAME}:{port}"
        await context.add_cookies([{"name": COOKIE, "value": SECRET.cookie, "url": url}])
        page = await context.new_page()
        page.set_default_timeout(PATIENCE)
        yield Tour(phone, page, url, visitor.see, language)
        await context.close()
