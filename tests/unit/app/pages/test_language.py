from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.app.pages.language import LANGUAGES, language_of, preferred_language

NOW = datetime(2020, 6, 8, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("pt-BR, es;q=0.5, it;q=0.7", "it"),
        ("en;q=0.1, fr;q=0.1", "en"),
        ("IT", "it"),
        ("it;q=0, fr;q=0.1", "fr"),
        ("pt", "en"),
        ("", "en"),
        ("de;q=very, fr;q=0.2", "fr"),
    ],
)
def test_the_language_that_the_browser_likes_best_is_spoken(header: str, code: str) -> None:
    assert preferred_language(header) == code


@given(st.text())
def test_any_header_leads_to_one_of_the_languages(header: str) -> None:
    assert preferred_language(header) in LANGUAGES


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("en", "Monday 8 June"),
        ("it", "lunedì 8 giugno"),
        ("fr", "lundi 8 juin"),
        ("de", "Montag, 8. Juni"),
        ("es", "lunes 8 de junio"),
    ],
)
def test_a_day_is_written_as_each_language_writes_it(code: str, written: str) -> None:
    assert language_of(code).day(date(2020, 6, 8)) == written


def test_a_moment_is_told_in_the_zone_of_the_phone() -> None:
    rome = timezone(timedelta(hours=2))
    english = language_of("en")

    assert english.moment(NOW, now=NOW, zone=rome) == "Today at 14:30"
    yesterday = NOW - timedelta(days=1)
    assert english.moment(yesterday, now=NOW, zone=rome) == "Sunday 7 June at 14:30"


def test_an_unknown_language_falls_back_to_english() -> None:
    assert language_of("tlh").tag == "en-GB"
