"""What large text does to a page on a narrow screen: what is cut off, torn, or too small to hit."""

from typing import Final

from playwright.async_api import Page

_FAULTS: Final = r"""() => {
  const root = document.documentElement;
  const faults = new Set();

  const lines = (range) => [...range.getClientRects()];
  const characters = function* (node, { index, 0: word }) {
    const range = document.createRange();
    for (let place = 0; place < word.length; place += 1) {
      range.setStart(node, index + place);
      range.setEnd(node, index + place + 1);
      // A letter after a soft hyphen also has a place at the end of the line before.
      yield [word[place], lines(range).at(-1)];
    }
  };
  // The last letter of a line inside a word; a word is parted at a hyphen or not at all.
  const isTorn = (node, word) => {
    let [before, line] = ["\u00ad", -Infinity];
    for (const [letter, box] of characters(node, word)) {
      if (box && box.top > line + box.height / 2 && before !== "\u00ad") return true;
      [before, line] = [letter, box && letter !== "\u00ad" ? box.top : line];
    }
    return false;
  };
  const clipping = (element) => {
    for (let box = element; box && box !== root; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible" && box.scrollWidth > box.clientWidth + 1)
        return box;
    return null;
  };
  const look = (node) => {
    const range = document.createRange();
    for (const word of node.data.matchAll(/[\p{L}\u00ad]+/gu)) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const boxes = lines(range);
      if (boxes.some(({ left, right }) => left < -0.5 || right > root.clientWidth + 0.5))
        faults.add(`“${word[0]}” lies beyond the window`);
      if (boxes.length > 1 && isTorn(node, word)) faults.add(`“${word[0]}” is torn`);
    }
    const box = clipping(node.parentElement);
    if (box) faults.add(`${box.className || box.tagName} cuts off “${node.data.trim()}”`);
  };

  for (const box of [root, document.querySelector(".device")])
    if (box.scrollWidth > box.clientWidth)
      faults.add(`${box.className || box.tagName} scrolls sideways`);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement } = texts.currentNode;
    // What is there for screen readers alone has no room, and what is given letter by letter
    // has lines of its own.
    if (parentElement.checkVisibility() && !parentElement.closest(".unseen, .skip, pre"))
      look(texts.currentNode);
  }
  for (const control of document.querySelectorAll("a[href], button, input, summary")) {
    const target = control.closest(".choice") ?? control;
    // A link inside a sentence is as high as the sentence's line.
    if (!target.checkVisibility() || target.matches(".skip, p a, [type=hidden]")) continue;
    const { width, height } = target.getBoundingClientRect();
    if (Math.min(width, height) < LEAST)
      faults.add(`${control.outerHTML.slice(0, 80)} is ${width} by ${height}`);
  }
  return [...faults];
}"""
# WCAG 2.2, 2.5.8; in CSS pixels.
_LEAST_TARGET: Final = 24


async def faults(page: Page) -> list[str]:
    """Return every word that is cut off or torn, and every target that is too small to hit."""
    found: list[str] = await page.evaluate(_FAULTS.replace("LEAST", str(_LEAST_TARGET)))
    return found
