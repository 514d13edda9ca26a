import gettext
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from immuni.app.pages.language import LANGUAGES
from immuni.web.languages import DEFAULT_LANGUAGE

TRANSLATED = sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE})
APP = Path(str(files("immuni.app")))
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "counted": (1, 2), "translatable": None}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@cache
def texts_in_use() -> frozenset[tuple[str, ...]]:
    """Return every text of code and templates, as the extraction finds it."""
    with (APP / "locale/babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(APP, methods, options, keywords=KEYWORDS)
    return frozenset(forms(message) for _, _, message, *_ in found)


def catalogue(code: str) -> Catalog:
    with (APP / f"locale/{code}/LC_MESSAGES/app.po").open("rb") as file:
        return read_po(file, locale=code)


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return a text's forms: one, or one for each plural."""
    return (text,) if isinstance(text, str) else tuple(text or ())


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_translated_and_none_is_stale(code: str) -> None:
    messages = {forms(message.id): message for message in catalogue(code) if message.id}

    assert set(messages) == texts_in_use()
    assert [each.id for each in messages.values() if each.fuzzy] == []
    assert [each.id for each in messages.values() if not all(forms(each.string))] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_translation_has_the_placeholders_of_its_text(code: str) -> None:
    for message in catalogue(code):
        if message.id:
            expected = set(PLACEHOLDER.findall(forms(message.id)[-1]))
            for form in forms(message.string):
                assert set(PLACEHOLDER.findall(form)) == expected, message.id


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_translation_says_the_numbers_of_its_text(code: str) -> None:
    for message in catalogue(code):
        if message.id:
            numbers = sorted(re.findall(r"\d+", forms(message.id)[-1]))
            for form in forms(message.string):
                assert sorted(re.findall(r"\d+", form)) == numbers, message.id


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_compiled_catalogue_is_in_step_with_the_text(code: str) -> None:
    with (APP / f"locale/{code}/LC_MESSAGES/app.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    for message in catalogue(code):
        one, *many = forms(message.id)
        if many:
            assert compiled.ngettext(one, many[0], 1) == forms(message.string)[0]
            assert compiled.ngettext(one, many[0], 5) == forms(message.string)[1]
        elif one:
            assert compiled.gettext(one) == message.string


def test_the_template_of_the_catalogues_is_in_step_with_the_texts() -> None:
    with (APP / "locale/app.pot").open("rb") as file:
        template = read_po(file)

    assert {forms(message.id) for message in template if message.id} == texts_in_use()
