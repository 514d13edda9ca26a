"""Recovery codes: for the day on which the other second factors are lost."""

import hashlib
from typing import Final

from immuni.entropy import Entropy

CODES: Final = 10

# 32 characters that nobody confuses, so that 16 of them hold 80 bits: hashed without a key, since
# nobody can search 2^80.
_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_LENGTH: Final = 16


def draw_codes(entropy: Entropy) -> list[str]:
    """Make a set of codes, as people read them: four groups of four."""
    return [_draw(entropy) for _ in range(CODES)]


def bare(typed: str) -> str:
    """Return what was typed without spaces and dashes, in capitals."""
    return "".join(typed.split()).replace("-", "").upper()


def hash_of(code: str) -> bytes:
    """Return what the database holds of a code, however it is written."""
    return hashlib.sha256(b"immuni recovery code\0" + bare(code).encode()).digest()


def _draw(entropy: Entropy) -> str:
    text = "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in entropy.token(_LENGTH))
    return "-".join(text[start : start + 4] for start in range(0, _LENGTH, 4))
