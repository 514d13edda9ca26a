import re
from importlib.resources import files
from typing import Final

import pytest

from immuni.app.pages.hyphens import SOFT_HYPHEN, parted
from immuni.app.pages.language import LANGUAGES, language_of

# Two of them never stand on one line of large text on a small phone.
LONGEST_PIECE: Final = 13


def test_a_long_word_carries_soft_hyphens_whatever_follows_its_stem() -> None:
    page = parted("<p>Datenschutzhinweisen</p>", "de")

    assert page == f"<p>Daten{SOFT_HYPHEN}schutz{SOFT_HYPHEN}hinweisen</p>"


def test_a_name_in_two_languages_may_break_at_its_stroke() -> None:
    assert parted("<b>Bolzano/Bozen</b>", "it") == "<b>Bolzano/<wbr>Bozen</b>"


@pytest.mark.parametrize(
    "unread",
    [
        '<a href="/Einstellungen" aria-label="Einstellungen">',
        "<title>Einstellungen · Immuni</title>",
        "<p>&lt;b&gt;1 / 2&lt;/b&gt;</p>",
        '<pre id="diagnostics">Sprache: de\nEinstellungen: 1/2</pre>',
    ],
)
def test_nothing_that_is_copied_or_followed_is_parted(unread: str) -> None:
    assert parted(unread, "de") == unread


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_language_has_a_word_that_is_longer_than_a_line_and_cannot_be_parted(code: str) -> None:
    catalogue = language_of(code).catalogue
    messages = [str(text) for text in getattr(catalogue, "_catalog", {}).values()]
    documents = [
        files("immuni.texts").joinpath(kind, f"{code}.md").read_text("utf-8")
        for kind in ("privacy", "terms", "faq")
    ]
    words = {word for text in messages + documents for word in re.findall(r"[^\W\d_]+", text)}

    pieces = {word: parted(word, code).split(SOFT_HYPHEN) for word in words}
    too_long = {
        word for word, parts in pieces.items() if any(len(part) > LONGEST_PIECE for part in parts)
    }

    assert too_long == set()
