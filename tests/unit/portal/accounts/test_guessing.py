import pytest

from immuni.portal.accounts.guessing import Weakness, weakness_of

ANNA = ("anna", "Anna Rossi", "Ospedale Maggiore")


@pytest.mark.parametrize(
    "password",
    [
        "password123456",
        "qwertyuiop123",
        "P@ssw0rd1234",
        "qazwsxedcrfvtgb",
        "iloveyouforever1",
    ],
)
def test_what_many_people_use_is_refused_as_such(password: str) -> None:
    assert weakness_of(password) is Weakness.COMMON


@pytest.mark.parametrize("password", ["annarossi2020", "Ospedale Maggiore 1", "ospedalemaggiore"])
def test_what_tells_of_the_person_is_refused_for_that_person(password: str) -> None:
    assert weakness_of(password, ANNA) is Weakness.PERSONAL


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaaaaaa",
        "abcdefghijklmnop",
        "1234567890123",
        "immuniimmuni1",
        "letmein letmein",
        "Tr0ub4dour&3xyz",
        "Sommer2020!!",
        "juventus1897!!",
        "jessica19870412",
        "trustno1trustno1",
    ],
)
def test_patterns_are_refused(password: str) -> None:
    assert weakness_of(password, ANNA) is Weakness.GUESSABLE


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "gatto lampada fiume",
        "tre cani neri corrono",
        "mV7-kola-27-brut",
        "x9$kQ2!vB7pLm",
        "4d1f9a0c77e2b3aa",
        "perché no? sì! forse",
    ],
)
def test_words_that_do_not_belong_together_and_drawn_ones_are_taken(password: str) -> None:
    assert weakness_of(password, ANNA) is None


def test_only_the_beginning_of_a_long_one_is_looked_at() -> None:
    assert weakness_of("a" * 64 + "correct horse battery staple") is Weakness.GUESSABLE
