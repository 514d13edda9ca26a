from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from immuni.app.pages.language import LANGUAGES, language_of, preferred_language

NOW = datetime(2020, 6, 8, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("code", LANGUAGES)
def test_whoever_asks_for_one_of_the_five_languages_gets_it(code: str) -> None:
    assert preferred_language(f"pt-BR, {code}-CH;q=0.5") == code
    assert language_of(code).code == code


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


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("en", "Friday 1 May"),
        ("it", "venerdì 1º maggio"),
        ("fr", "vendredi 1er mai"),
        ("de", "Freitag, 1. Mai"),
        ("es", "viernes 1 de mayo"),
    ],
)
def test_the_first_of_a_month_is_written_as_each_language_writes_it(
    code: str, written: str
) -> None:
    assert language_of(code).day(date(2020, 5, 1)) == written


def test_a_moment_is_told_in_the_zone_of_the_phone() -> None:
    rome = timezone(timedelta(hours=2))
    english = language_of("en")

    assert english.moment(NOW, now=NOW, zone=rome) == "Today at 14:30"
    yesterday = NOW - timedelta(days=1)
    assert english.moment(yesterday, now=NOW, zone=rome) == "Sunday 7 June at 14:30"


def test_an_unknown_language_falls_back_to_english() -> None:
    assert language_of("tlh").tag == "en-GB"
