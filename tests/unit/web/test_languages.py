from datetime import date
from gettext import NullTranslations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.web.languages import DayWords, Translation, preferred_of

OURS = ("en", "it", "de", "fr")
ENGLISH = Translation("en", NullTranslations())


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("de", "de"),
        ("IT", "it"),
        ("it-CH, fr;q=0.9", "it"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,it;q=0.8", "en"),
        ("pt-BR, es;q=0.5, it;q=0.7", "it"),
        ("en;q=0.1, fr;q=0.1", "en"),
        ("it;q=0, fr;q=0.1", "fr"),
        ("pt, es", "en"),
        ("de;q=very, fr;q=0.2", "fr"),
        (",;,=;q", "en"),
        ("it;q=nan", "en"),
    ],
)
def test_the_language_that_the_browser_likes_best_is_spoken(header: str, code: str) -> None:
    assert preferred_of(OURS, header) == code


@given(st.text())
def test_any_header_leads_to_one_of_the_languages(header: str) -> None:
    assert preferred_of(OURS, header) in OURS


def test_only_the_beginning_of_an_endless_header_is_read() -> None:
    assert preferred_of(OURS, "pt," * 1_000 + "it") == "en"


def test_a_count_chooses_the_form() -> None:
    assert [ENGLISH.counted("%(num)d day", "%(num)d days", count) for count in (1, 2)] == [
        "1 day",
        "2 days",
    ]


def test_a_day_takes_its_names_and_their_order_from_who_shows_it() -> None:
    words = DayWords(
        order="%(month)s %(day)d, %(weekday)s",
        first="%(month)s 1st, %(weekday)s",
        weekdays="MTWTFSS",
        months="JFMAMJJASOND",
    )

    assert ENGLISH.day_in(words, date(2020, 6, 8)) == "J 8, M"
    assert ENGLISH.day_in(words, date(2020, 12, 13)) == "D 13, S"
    assert ENGLISH.day_in(words, date(2020, 5, 1)) == "M 1st, F"
