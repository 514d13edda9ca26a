"""Codes to practise with: made so that no service can ever take one for a real code."""

from typing import Final, NewType

from immuni.entropy import Entropy
from immuni.otp import ALPHABET, OTP_LENGTH, check_digit

PracticeCode = NewType("PracticeCode", str)
"""Ten characters that look like a code and are none: the check digit is wrong by construction."""

PRACTICE_PREFIX: Final = "EXE"
"""What every practice code begins with, so that people recognise one, and hardly any misread code
is taken for one."""
PRACTICE_SHIFT: Final = 12
"""By how many places of the alphabet the tenth character is moved from the right one; any number
between its length and zero makes the code one that the OTP Service refuses."""


def generate_practice_code(entropy: Entropy) -> PracticeCode:
    """Draw a code to practise with."""
    count = OTP_LENGTH - 1 - len(PRACTICE_PREFIX)
    drawn = "".join(ALPHABET[entropy.below(len(ALPHABET))] for _ in range(count))
    nine = PRACTICE_PREFIX + drawn
    return PracticeCode(nine + _moved(check_digit(nine)))


def is_practice_code(code: str) -> bool:
    """Tell whether ten characters of the alphabet are a code to practise with."""
    return code.startswith(PRACTICE_PREFIX) and code[-1] == _moved(check_digit(code[:-1]))


def _moved(digit: str) -> str:
    return ALPHABET[(ALPHABET.index(digit) + PRACTICE_SHIFT) % len(ALPHABET)]
