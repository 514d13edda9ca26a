import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import immuni.app
import immuni.portal
from immuni.portal.language import LANGUAGES, language_of, preferred_language

QUOTED: Final = re.compile(r"<b>(.+?)</b>")
PACKAGE: Final = Path(immuni.portal.__file__).parent
TRANSLATED: Final = [code for code in LANGUAGES if code != "en"]
METHODS: Final = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS: Final = {
    "**/templates/**.html": {
        "newstyle_gettext": "true",
        "trim_blocks": "true",
        "lstrip_blocks": "true",
    }
}
# Those of gettext, and ours for what is translated elsewhere than where it stands.
KEYWORDS: Final = {"_": None, "ngettext": (1, 2), "gettext": None, "translatable": None}


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return a text and, where it has one, its plural."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def texts(catalog: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    return {forms(message.id): forms(message.string) for message in catalog if message.id}


def written(code: str, *, package: ModuleType = immuni.portal) -> Catalog:
    folder = Path(str(package.__file__)).parent / f"locale/{code}/LC_MESSAGES"
    name = package.__name__.rpartition(".")[2]
    with (folder / f"{name}.po").open("rb") as file:
        return read_po(file, locale=code)


@pytest.fixture(scope="module")
def used() -> set[tuple[str, ...]]:
    return {
        forms(text)
        for _, _, text, _, _ in extract_from_dir(PACKAGE, METHODS, OPTIONS, keywords=KEYWORDS)
    }


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_has_exactly_the_texts_that_are_used(
    code: str, used: set[tuple[str, ...]]
) -> None:
    assert texts(written(code)).keys() == used


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated_with_its_placeholders(code: str) -> None:
    catalog = written(code)
    for message in catalog:
        if not message.id:
            continue
        assert all(forms(message.string)), message.id
        assert not message.fuzzy, message.id
        assert not list(message.check(catalog)), message.id


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_compiled_catalogue_is_in_step(code: str) -> None:
    with (PACKAGE / f"locale/{code}/LC_MESSAGES/portal.mo").open("rb") as file:
        compiled = read_mo(file)

    assert texts(compiled) == texts(written(code))


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_operators_tell_people_to_press_stands_in_the_app(code: str) -> None:
    app = texts(written(code, package=immuni.app))
    quoted = [
        pair
        for (source, *_), (translation, *_) in texts(written(code)).items()
        for pair in zip(QUOTED.findall(source), QUOTED.findall(translation), strict=True)
    ]

    assert len(quoted) >= 7
    for source, translation in quoted:
        assert app[(source,)] == (translation,)


def test_browsers_get_the_language_that_they_like_best_and_others_english() -> None:
    assert preferred_language("nl, IT;q=0.5, en;q=0.4") == "it"
    assert preferred_language("de-AT, fr") == "de"
    assert preferred_language("nl, pt") == "en"


def test_days_are_written_in_each_language() -> None:
    assert language_of("en").day(date(2020, 6, 2)) == "Tue 2 Jun"
    assert language_of("it").day(date(2020, 6, 2)) == "mar 2 giu"
    assert [language_of("it").days_ago(days) for days in range(3)] == [
        "Oggi",
        "Ieri",
        "2 giorni fa",
    ]


def test_an_unknown_language_is_answered_in_english() -> None:
    assert language_of("xx").code == "en"
