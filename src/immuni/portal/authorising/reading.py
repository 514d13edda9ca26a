"""What an operator typed or pasted in place of a code, read as kindly as can be."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from immuni.errors import ImmuniError
from immuni.otp import (
    ALPHABET,
    LOOK_ALIKES,
    OTP_LENGTH,
    InvalidOtpError,
    Otp,
    normalise,
    parse_otp,
)
from immuni.portal.practising.codes import PracticeCode, is_practice_code

_WORD: Final = re.compile(r"[^\W_]+")


class Fault(StrEnum):
    """What is wrong with one field."""

    MISSING = "missing"
    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check_digit"
    PRACTICE = "practice"
    REAL = "real"
    NO_DATE = "no_date"
    FUTURE = "future"
    TOO_OLD = "too_old"


class InvalidFieldError(ImmuniError, ValueError):
    """One field is wrong.

    Attributes:
        fault: In which way.
    """

    def __init__(self, fault: Fault) -> None:
        """Keep the fault; what was typed is not repeated."""
        super().__init__(fault)
        self.fault = fault


def parse_code(text: str) -> Otp:
    """Return the code that an operator typed: spaces, dashes, capitals and words around it aside.

    Raises:
        InvalidFieldError: It is none, or one to practise with.
    """
    code = _ten_characters(text)
    try:
        return parse_otp(code)
    except InvalidOtpError:
        fault = Fault.PRACTICE if is_practice_code(code) else Fault.CHECK_DIGIT
        # The code itself must not travel on in an exception's context.
        raise InvalidFieldError(fault) from None


def parse_practice_code(text: str) -> PracticeCode:
    """Return the practice code that an operator typed; what is typed is read as for a real one.

    Raises:
        InvalidFieldError: It is none, or a real code, which is not to be practised with.
    """
    code = _ten_characters(text)
    if is_practice_code(code):
        return PracticeCode(code)
    raise InvalidFieldError(Fault.REAL if _adds_up(code) else Fault.CHECK_DIGIT)


def find_code(text: str) -> str:
    """Return the code that stands in a text, in its canonical characters.

    Whoever pastes a message gets its words as well: of those, words that together are ten
    characters of the alphabet are a code; one that adds up is believed before others.

    Returns:
        The code, or all of the text without spaces and dashes where there is not exactly one.
    """
    whole = normalise(text)
    if _looks_like_a_code(whole):
        return whole
    found = set(_candidates([word.upper() for word in _WORD.findall(text)]))
    believed = {code for code in found if _adds_up(code) or is_practice_code(code)} or found
    return believed.pop() if len(believed) == 1 else whole


def pairs_to_read_again(text: str) -> Sequence[str]:
    """Return the look-alikes of which one is in what was typed, in the order of all of them."""
    typed = set(find_code(text))
    return [pair for pair in LOOK_ALIKES if typed & set(pair)]


def _ten_characters(text: str) -> str:
    code = find_code(text)
    if not code:
        raise InvalidFieldError(Fault.MISSING)
    if any(character not in ALPHABET for character in code):
        raise InvalidFieldError(Fault.CHARACTER)
    if len(code) != OTP_LENGTH:
        raise InvalidFieldError(Fault.LENGTH)
    return code


def _candidates(words: Sequence[str]) -> Iterator[str]:
    for start in range(len(words)):
        code = ""
        # A word has at least one character, so that more words than that cannot be a code.
        for word in words[start : start + OTP_LENGTH]:
            code += word
            if _looks_like_a_code(code):
                yield code


def _looks_like_a_code(text: str) -> bool:
    return len(text) == OTP_LENGTH and all(character in ALPHABET for character in text)


def _adds_up(code: str) -> bool:
    try:
        return bool(parse_otp(code))
    except InvalidOtpError:
        return False
