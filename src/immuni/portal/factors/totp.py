"""Codes of an authenticator app: six digits that change every thirty seconds.

Source:
    RFC 6238 with the parameters that every app knows: SHA-1, six digits, thirty seconds.
"""

import base64
import hmac
import re
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from immuni.entropy import Entropy

SECRET_BYTES: Final = 20
STEP: Final = timedelta(seconds=30)

_DIGITS: Final = 6
_CODE: Final = re.compile(r"[0-9]{6}")


def draw_secret(entropy: Entropy) -> bytes:
    """Make a secret for one app of one account."""
    return entropy.token(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Write a secret for people who type it: base 32 in groups of four."""
    text = base64.b32encode(secret).decode("ascii")
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def uri_of(secret: bytes, *, user: str, host: str) -> str:
    """Write a secret for apps that scan it, named after the account and the portal's host."""
    return _generator(secret).get_provisioning_uri(user, f"immuni {host}")


def code_at(secret: bytes, instant: datetime) -> str:
    """Return what an app with this secret shows."""
    return _generator(secret).generate(int(instant.timestamp())).decode("ascii")


def step_of(secret: bytes, code: str, *, now: datetime) -> int | None:
    """Return the time step whose code was typed; None where it is none of those around `now`.

    The step before and the one after count: clocks differ, and typing takes time. Each step is
    compared, so that the time it takes tells nothing.
    """
    found = None
    for instant in (now - STEP, now, now + STEP):
        if hmac.compare_digest(code_at(secret, instant).encode(), code.encode()):
            found = int(instant.timestamp()) // int(STEP.total_seconds())
    return found


def is_code(text: str) -> bool:
    """Tell whether a text without spaces could be a code of an app."""
    return _CODE.fullmatch(text) is not None


def _generator(secret: bytes) -> TOTP:
    # RFC 6238 and every app in the field: HMAC needs no collision resistance.
    return TOTP(secret, _DIGITS, SHA1(), int(STEP.total_seconds()))  # noqa: S303
