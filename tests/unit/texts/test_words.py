"""What a careful reader would mark in the words of App and portal, language by language."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest
from babel.messages.pofile import read_po

from immuni.app.decision import HISTORY_RETENTION
from immuni.app.sent import SENT_RETENTION
from immuni.backend.publishing.rules import KEY_USEFUL_FOR
from immuni.backend.retention import RetentionSettings
from immuni.framework.store.store import RETENTION
from immuni.texts import LANGUAGES, Document, questions

CATALOGUES: Final = {"immuni.app": "app", "immuni.portal": "portal"}
QUOTES: Final = {
    "de": re.compile("„(.+?)“"),
    "en": re.compile("“(.+?)”"),
    "es": re.compile("«(.+?)»"),
    "fr": re.compile("«\N{NO-BREAK SPACE}(.+?)\N{NO-BREAK SPACE}»"),
    "it": re.compile("«(.+?)»"),
}
ANY_QUOTE: Final = re.compile('[„“”«»"‹›‘]')
BARE_SPACE: Final = re.compile(" [?!;:»]|« ")
NOT_SAID: Final = {
    "de": r"zufällige Codes|riskante\w* Kontakt|das internet|Nutzer\b|Ihr Arzt|Codes[^.,:]* aus\b",
    "en": r"\bInternet\b|\blisten|\bhears?\b|(?:old to|longer) protect|protecting you",
    "es": r"\bInternet\b|operador|enfermo\b|estoy (?:vacunado|obligado)"
    r"|encendido|apagado|[tm][ui] médico",
    "fr": r"\binternet\b|[Oo]pérateur|(?:êtes|suis) (?:testé|guéri|vacciné)"
    r"|vous a alerté|vertiss|Notice",
    "it": r"\bInternet\b|[Oo]perator[ei]\b|[Nn]ulla è pers|(?:sei|sono|sarai) (?:stato|guarito)",
}
"""Second names, second spellings, and what speaks to men only; none may come back."""
PERIODS: Final = (
    RETENTION,
    max(HISTORY_RETENTION, SENT_RETENTION),
    KEY_USEFUL_FOR,
    RetentionSettings().analytics_retention,
)


@cache
def of_the_app(code: str) -> frozenset[str]:
    """Return all that the App's screens say in a language."""
    if code != "en":
        return frozenset(catalogue("immuni.app", code))
    with Path(str(files("immuni.app"))).joinpath("locale/app.pot").open("rb") as file:
        return frozenset(form for each in read_po(file) if each.id for form in forms(each.id))


@cache
def catalogue(package: str, code: str) -> tuple[str, ...]:
    """Return the translations of a package."""
    name = CATALOGUES[package]
    path = Path(str(files(package))) / f"locale/{code}/LC_MESSAGES/{name}.po"
    with path.open("rb") as file:
        return tuple(form for each in read_po(file) if each.id for form in forms(each.string))


def forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(map(str, text or ()))  # type: ignore[call-overload]


def at_length(code: str) -> Iterator[str]:
    """Yield the questions, answers and documents of a language, as they are written."""
    for name in ("faq", *Document):
        yield files("immuni.texts").joinpath(name, f"{code}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_name_that_an_answer_quotes_stands_on_a_screen_of_the_app(code: str) -> None:
    quoted = [name for text in at_length(code) for name in QUOTES[code].findall(text)]

    assert len(quoted) >= len(LANGUAGES)
    assert [name for name in quoted if name not in of_the_app(code)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_its_own_quotation_marks_and_no_others(code: str) -> None:
    for text in (*of_the_app(code), *at_length(code)):
        assert ANY_QUOTE.findall(QUOTES[code].sub("", text)) == [], text
        assert "'" not in text, text


def test_no_french_sign_stands_at_the_start_of_a_line() -> None:
    said = (*catalogue("immuni.app", "fr"), *catalogue("immuni.portal", "fr"), *at_length("fr"))

    assert [text for text in said if BARE_SPACE.search(text)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_has_two_names_and_nobody_is_taken_for_a_man(code: str) -> None:
    wrong = re.compile(NOT_SAID[code])

    assert [text for text in of_the_app(code) if wrong.search(text)] == []
    assert [found.group() for text in at_length(code) for found in wrong.finditer(text)] == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_said_to_be_kept_is_kept_for_so_long(code: str) -> None:
    kept = next(each for each in questions(code) if "30" in each.content)

    assert re.findall(r"\d+", kept.content) == [str(period.days) for period in PERIODS]
