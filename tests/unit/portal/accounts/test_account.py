import pytest

from immuni.portal.accounts.account import (
    InvalidNameError,
    InvalidUserError,
    parse_name,
    parse_user,
    same_user,
)


def test_capitals_and_outer_spaces_make_no_other_user() -> None:
    assert same_user(" Anna.Rossi ") == same_user("ANNA.ROSSI") == parse_user("anna.rossi")


@pytest.mark.parametrize("user", ["anna", "anna.rossi@example.it", "a+b-c_d", "giosuè", "x" * 80])
def test_names_that_people_have_are_taken(user: str) -> None:
    assert parse_user(user) == user


@pytest.mark.parametrize("user", ["", "a", "x" * 81, "anna rossi", "an\nna", "a/b", "<b>"])
def test_names_that_would_confuse_are_refused(user: str) -> None:
    with pytest.raises(InvalidUserError):
        parse_user(user)
    assert same_user(user) == ""


@pytest.mark.parametrize("user", ["аnna", "anna\u0430", "ɑnna", "annα", "ann\u0301a\u200b", "１²ж"])
def test_letters_that_look_like_others_make_no_user(user: str) -> None:
    with pytest.raises(InvalidUserError):
        parse_user(user)


@pytest.mark.parametrize("name", ["", "Anna Rossi", "Müller-D'Ávila", "李 雷", "x" * 80])
def test_people_are_called_what_they_are_called(name: str) -> None:
    assert parse_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name", ["x" * 81, "Anna\x00", "Anna\nRossi", "\u202eissoR", "An\u200bna", "a\u2028b", "a\tb"]
)
def test_what_is_not_shown_is_in_no_name(name: str) -> None:
    with pytest.raises(InvalidNameError):
        parse_name(name)
