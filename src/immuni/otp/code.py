"""Ten characters: nine drawn from an alphabet without look-alikes, one check digit.

Source:
    Specification page "The one-time password".
"""

import hashlib
import re
from typing import Final, NewType

from immuni.entropy import Entropy
from immuni.errors import ImmuniError

Otp = NewType("Otp", str)
"""A valid code in its canonical form: ten capitals and digits, the last one checked."""

OtpHash = NewType("OtpHash", str)
"""SHA-256 of a code as 64 lower-case hexadecimal digits: the only form that goes on the wire."""

OTP_LENGTH: Final = 10
GROUPS: Final = (3, 4, 3)
"""Lengths of the groups in which people see and dictate a code."""

ALPHABET: Final = "AEFHIJKLQRSUWXYZ123456789"
LOOK_ALIKES: Final = ("E/4", "F/5", "H/7", "I/8", "J/9", "X/1")
"""Pairs whose confusion the check digit cannot see: the first thing to read again."""

# Values of ALPHABET's characters in odd and even positions, in the alphabet's order, after the
# Italian fiscal code. Every client in the field computes the digit so.
_ODD: Final = (
    1,
    9,
    13,
    17,
    19,
    21,
    2,
    4,
    6,
    8,
    12,
    16,
    22,
    25,
    24,
    23,
    0,
    5,
    7,
    9,
    13,
    15,
    17,
    19,
    21,
)
_EVEN: Final = (0, 4, 5, 7, 8, 9, 10, 11, 16, 17, 18, 20, 22, 23, 24, 25, 1, 2, 3, 4, 5, 6, 7, 8, 9)
_ODD_VALUE: Final = dict(zip(ALPHABET, _ODD, strict=True))
_EVEN_VALUE: Final = dict(zip(ALPHABET, _EVEN, strict=True))

_SEPARATORS: Final = re.compile(r"[\s\-–—._]+")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class InvalidOtpError(ImmuniError, ValueError):
    """A text is not a code: its length, a character or the check digit is wrong."""


def check_digit(nine: str) -> str:
    """Return the tenth character that belongs to the first nine.

    Raises:
        InvalidOtpError: There are not nine characters, or one is outside the alphabet.
    """
    if len(nine) != OTP_LENGTH - 1:
        raise InvalidOtpError(
            f"the check digit follows {OTP_LENGTH - 1} characters, got {len(nine)}"
        )
    for position, character in enumerate(nine, start=1):
        if character not in _ODD_VALUE:
            raise InvalidOtpError(f"character {position} is outside the alphabet {ALPHABET}")
    odd = sum(_ODD_VALUE[character] for character in nine[0::2])
    even = sum(_EVEN_VALUE[character] for character in nine[1::2])
    return ALPHABET[(odd + even) % len(ALPHABET)]


def generate_otp(entropy: Entropy) -> Otp:
    """Draw a new code; there are 25^9 of them, 41.8 bits."""
    nine = "".join(ALPHABET[entropy.below(len(ALPHABET))] for _ in range(OTP_LENGTH - 1))
    return Otp(nine + check_digit(nine))


def parse_otp(text: str) -> Otp:
    """Return `text` as a code, when it is one in its canonical form.

    Raises:
        InvalidOtpError: The length, a character or the check digit is wrong.
    """
    if len(text) != OTP_LENGTH:
        raise InvalidOtpError(f"a code has {OTP_LENGTH} characters, got {len(text)}")
    if check_digit(text[:-1]) != text[-1]:
        raise InvalidOtpError(
            "the check digit does not fit; read the code again, first of all "
            + ", ".join(LOOK_ALIKES)
        )
    return Otp(text)


def normalise(text: str) -> str:
    """Undo what people do when they type a code: spaces, dashes, small letters."""
    return _SEPARATORS.sub("", text).upper()


def grouped(otp: Otp) -> str:
    """Write a code as it is shown and dictated, ``XXX XXXX XXX``."""
    first, second, _ = GROUPS
    return f"{otp[:first]} {otp[first : first + second]} {otp[first + second :]}"


def otp_hash(otp: Otp) -> OtpHash:
    """Return what a phone sends in place of the code.

    Privacy:
        25^9 codes can be searched in minutes, so this hash is as secret as the code itself.
    """
    return OtpHash(hashlib.sha256(otp.encode("ascii")).hexdigest())


def parse_otp_hash(text: str) -> OtpHash:
    """Return `text` as a hash on the wire.

    Raises:
        InvalidOtpError: It is not 64 lower-case hexadecimal digits.
    """
    if _HASH.fullmatch(text) is None:
        raise InvalidOtpError("the hash of a code is 64 lower-case hexadecimal digits")
    return OtpHash(text)
