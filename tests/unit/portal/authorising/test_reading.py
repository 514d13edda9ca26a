import pytest

from immuni.otp import check_digit
from immuni.portal.authorising.reading import (
    Fault,
    InvalidFieldError,
    pairs_to_read_again,
    parse_code,
)

CODE = "9K2RAY8UUQ"


@pytest.mark.parametrize(
    "pasted",
    [
        "il codice è 9k2 ray8 uuq",
        "Der Code lautet: 9K2-RAY8-UUQ.",
        "«9K2 RAY8 UUQ»",
        "it is 9K2RAY8UUQ, she says",
        "code 9K2 RAY8 UUQ, again: 9k2 ray8 uuq",
        "9K2 RAY8 UUQ\nRossi",
        "EFH 12 9K2 RAY8 UUQ",
    ],
)
def test_a_code_is_found_among_other_words(pasted: str) -> None:
    assert parse_code(pasted) == CODE


def test_of_two_codes_none_is_chosen() -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_code(f"{CODE} or AAAAAAAAA{check_digit('A' * 9)}")

    assert refusal.value.fault is Fault.CHARACTER


def test_a_misread_code_among_words_is_said_to_be_misread() -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_code("il codice è 9K2 RAY8 UUA")

    assert refusal.value.fault is Fault.CHECK_DIGIT


def test_only_pairs_that_were_typed_are_to_be_read_again() -> None:
    assert pairs_to_read_again("9K2 RAY8 UUQ") == ["I/8", "J/9"]
    assert pairs_to_read_again("QQQ") == []
