import re

import pytest

from immuni.app.pages.language import LANGUAGES as APP_LANGUAGES
from immuni.texts import LANGUAGES, Document, as_html, questions, title

ENOUGH = 30


def shape(document: Document, language: str) -> list[str]:
    """Return what a document is made of, whatever it says."""
    return re.findall(r"<(h1|h2|p|ul|li|strong)>", as_html(document, language))


def numbers(text: str) -> list[str]:
    """Return the numbers in a text: days, ages, the one to call."""
    return sorted(re.findall(r"\d+", text))


def test_there_are_texts_in_every_language_of_the_app() -> None:
    assert set(LANGUAGES) == set(APP_LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_answers_the_same_questions(language: str) -> None:
    asked = questions(language)

    assert len(asked) == len(questions("en")) >= ENOUGH
    assert len({each.title for each in asked}) == len(asked)
    assert all(each.content for each in asked)
    assert all("\n#" not in each.content for each in asked)


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_language_answers_with_the_same_numbers(language: str) -> None:
    for own, english in zip(questions(language), questions("en"), strict=True):
        assert numbers(own.content) == numbers(english.content), english.title
    for document in Document:
        assert numbers(as_html(document, language)) == numbers(as_html(document, "en"))


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_text_was_left_in_english(language: str) -> None:
    english = {each.title for each in questions("en")} | {each.content for each in questions("en")}
    own = {each.title for each in questions(language)} | {
        each.content for each in questions(language)
    }

    assert own.isdisjoint(english)
    for document in Document:
        assert title(document, language) != title(document, "en")


@pytest.mark.parametrize("document", Document)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_sections_and_points(document: Document, language: str) -> None:
    assert shape(document, language) == shape(document, "en")
    assert as_html(document, language).startswith(f"<h1>{title(document, language)}</h1>")


def test_html_in_a_text_would_come_out_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "immuni.texts._source", lambda *_: "# <script>alert(1)</script>\n\n<b>x</b>"
    )

    assert "<script" not in as_html.__wrapped__(Document.TERMS, "en")
    assert "<b>" not in as_html.__wrapped__(Document.TERMS, "en")
