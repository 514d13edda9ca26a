"""What keeps people out of a page, as axe-core finds it: contrast, names, order, targets."""

from importlib.resources import files
from typing import Any, Final, Literal

from playwright.async_api import Page

# The driver evaluates it through the browser's debugger, which a page's own policy about scripts
# does not bind; so what is looked at is the page exactly as it is served.
SCRIPT: Final = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
# All rules of WCAG 2.0 to 2.2, A and AA, and the best practices beside them; the rule for the size
# of targets, new in 2.2, is off unless it is asked for.
_ALL: Final = """{ rules: { "target-size": { enabled: true } } }"""
# The colours are all that the other colour scheme changes.
_COLOURS: Final = """{ runOnly: ["color-contrast", "link-in-text-block"] }"""
_RUN: Final = """async () => {
  const { violations } = await axe.run({ resultTypes: ["violations"], ...OPTIONS });
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => {
    const reasons = [...node.any, ...node.all, ...node.none].map(({ message }) => message);
    return `${id}: ${help}\\n  ${node.html}\\n  ${reasons.join("; ")}`;
  }));
}"""
RUN: Final = _RUN.replace("OPTIONS", _ALL)
"""For tests that drive the browser synchronously."""
_RULES: Final[dict[Literal["light", "dark"], str]] = {"light": _ALL, "dark": _COLOURS}
_IS_DARK: Final = "matchMedia('(prefers-color-scheme: dark)').matches"


async def find_nothing(page: Page) -> None:
    """Look at a page as it stands, in both colour schemes, and find nothing that keeps people out.

    Raises:
        AssertionError: There is something; each place is named with what is wrong there.
    """
    found = await violations(page)
    assert not found, "\n".join([page.url, *found])


async def violations(page: Page) -> list[str]:
    """Return what axe-core finds, each place with its colour scheme.

    The page's own scheme stands again afterwards.
    """
    scheme: Any = "dark" if await page.evaluate(_IS_DARK) else "light"
    found: list[str] = []
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(SCRIPT)
    for each, rules in _RULES.items():
        # Without motion, so that no colour is on its way from one scheme to the other.
        await page.emulate_media(color_scheme=each, reduced_motion="reduce")
        run = _RUN.replace("OPTIONS", rules)
        found += [f"{each}: {violation}" for violation in await page.evaluate(run)]
    await page.emulate_media(color_scheme=scheme, reduced_motion="null")
    return found
