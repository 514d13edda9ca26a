import re
from importlib.resources import files
from pathlib import Path

import pytest

PAGES = Path(str(files("immuni.app.pages")))
SHARED = Path(str(files("immuni.web"))) / "static"
ALIEN = re.compile(r"https?://(?!www\.w3\.org/)|[\"'(]//")
WRITTEN_ON = [
    ("ink", "paper"),
    ("ink", "surface"),
    ("ink", "surface-tint"),
    ("ink", "brand-soft"),
    ("ink-soft", "paper"),
    ("ink-soft", "surface"),
    ("ink-soft", "surface-tint"),
    ("ink-soft", "line"),
    ("brand", "paper"),
    ("brand", "surface"),
    ("brand", "brand-soft"),
    ("on-brand", "brand"),
    ("on-brand", "brand-press"),
    ("warn-ink", "warn-soft"),
    ("risk-ink", "risk-soft"),
    ("on-risk", "risk"),
    ("on-risk", "risk-ink"),
    ("care-ink", "care-soft"),
    ("calm-ink", "calm-sky-top"),
    ("calm-ink", "calm-sky-low"),
    ("calm-ink", "dull-sky-top"),
    ("calm-ink", "dull-sky-low"),
    ("on-sky", "risk-sky-top"),
    ("on-sky", "risk-sky-low"),
    ("on-sky", "care-sky-top"),
    ("on-sky", "care-sky-low"),
]


def colours(scheme: str) -> dict[str, str]:
    """Return the tokens of a colour scheme; dark ones stand over light ones."""
    text = (SHARED / "tokens.css").read_text()
    light, _, dark = text.partition("@media (prefers-color-scheme: dark)")
    tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return tokens | (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark)) if scheme == "dark" else {}
    )


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), WRITTEN_ON)
def test_text_stands_out_from_its_ground(scheme: str, ink: str, ground: str) -> None:
    tokens = colours(scheme)

    assert contrast(tokens[ink], tokens[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_boxes_to_tick_stand_out_from_their_ground(scheme: str) -> None:
    tokens = colours(scheme)

    assert contrast(tokens["edge"], tokens["surface"]) >= 3


def test_no_page_asks_a_third_party_for_anything() -> None:
    own = [
        file
        for place in (PAGES, SHARED)
        for kind in ("html", "css", "svg")
        for file in place.rglob(f"*.{kind}")
    ]

    assert own
    assert [file.name for file in own if ALIEN.search(file.read_text())] == []


def test_no_page_needs_a_style_or_a_script_of_its_own() -> None:
    inline = re.compile(r"<style|style=|<script(?! src=)|\son\w+=|javascript:")

    assert [file.name for file in PAGES.rglob("*.html") if inline.search(file.read_text())] == []
