"""How easily a password is guessed: lists of those that people use, and the patterns they follow.

Everything is looked up on this machine, by zxcvbn and the lists that come with it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from zxcvbn import zxcvbn  # type: ignore[import-untyped]  # It has no types.
from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

MIN_GUESSES: Final = 10**10
"""Fewer guesses than these are too few: a stolen table of hashes is searched at some ten thousand a
second, which makes them a week and a half of one machine."""

# Its time grows with the square of the length; what comes behind can only help.
_LOOKED_AT: Final = 64
_ALWAYS: Final = ("immuni", "portal", "operator", "password")
_COMMON: Final = frozenset(FREQUENCY_LISTS["passwords"])


class Weakness(StrEnum):
    """Why a password is refused."""

    LENGTH = "length"
    COMMON = "common"
    PERSONAL = "personal"
    GUESSABLE = "guessable"


def weakness_of(password: str, context: Sequence[str] = ()) -> Weakness | None:
    """Return why a password would be guessed soon, None where it would not.

    Args:
        password: Of bearable length; its first 64 characters are looked at.
        context: Words that somebody who guesses would try first: names, the organisation.
    """
    if password.casefold().strip() in _COMMON:
        return Weakness.COMMON
    head = password[:_LOOKED_AT]
    found = zxcvbn(head, user_inputs=[*_ALWAYS, *_words(context)], max_length=_LOOKED_AT)
    if found["guesses"] >= MIN_GUESSES:
        return None
    used = {match.get("dictionary_name") for match in found["sequence"]}
    if "user_inputs" in used:
        return Weakness.PERSONAL
    return Weakness.COMMON if "passwords" in used and len(used) == 1 else Weakness.GUESSABLE


def _words(context: Sequence[str]) -> list[str]:
    return [each for text in context for each in (text, *text.split()) if len(each) > 2]
