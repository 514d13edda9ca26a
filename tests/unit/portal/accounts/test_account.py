import pytest

from immuni.portal.accounts.account import InvalidUserError, parse_user, same_user


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
