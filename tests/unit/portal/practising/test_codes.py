from collections import Counter

import pytest

from immuni.entropy import SeededEntropy
from immuni.otp import ALPHABET, InvalidOtpError, check_digit, generate_otp, parse_otp
from immuni.portal.authorising.reading import (
    Fault,
    InvalidFieldError,
    parse_code,
    parse_practice_code,
)
from immuni.portal.practising.codes import (
    PRACTICE_PREFIX,
    PRACTICE_SHIFT,
    generate_practice_code,
    is_practice_code,
)

ENTROPY = SeededEntropy("practice")


def test_no_practice_code_is_a_code() -> None:
    for _ in range(500):
        code = generate_practice_code(ENTROPY)

        assert is_practice_code(code)
        with pytest.raises(InvalidOtpError):
            parse_otp(code)


def test_that_holds_for_every_code_since_the_digit_is_never_moved_all_the_way_round() -> None:
    assert 0 < PRACTICE_SHIFT < len(ALPHABET)
    # Whatever the first nine are, there is one digit that adds up and one for practice.
    for tenth in ALPHABET:
        nine = PRACTICE_PREFIX + "AAAAAA"
        assert not (is_practice_code(nine + tenth) and check_digit(nine) == tenth)


def test_each_screen_takes_its_own_codes_and_names_the_other() -> None:
    practice, real = generate_practice_code(ENTROPY), generate_otp(ENTROPY)

    assert parse_practice_code(f" {practice.lower()} ") == practice
    with pytest.raises(InvalidFieldError) as refusal:
        parse_code(practice)
    assert refusal.value.fault is Fault.PRACTICE
    with pytest.raises(InvalidFieldError) as refusal:
        parse_practice_code(real)
    assert refusal.value.fault is Fault.REAL


def test_a_misread_code_is_hardly_ever_taken_for_one_to_practise_with() -> None:
    faults = Counter(misread_fault() for _ in range(2000))

    assert faults[Fault.PRACTICE] <= 1
    assert faults[Fault.CHECK_DIGIT] > 1500


def misread_fault() -> Fault | None:
    """Return what the real screen says of a code of which one character is another."""
    code, place = generate_otp(ENTROPY), ENTROPY.below(10)
    wrong = code[:place] + ALPHABET[ENTROPY.below(len(ALPHABET))] + code[place + 1 :]
    try:
        parse_code(wrong)
    except InvalidFieldError as error:
        return error.fault
    return None
