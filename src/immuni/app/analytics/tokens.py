"""The analytics token of an iOS phone: made, replaced once a month, used where authorised. Pure.

Source:
    Analytics, "iOS: analytics token and DeviceCheck".
"""

from datetime import datetime
from typing import Final

from msgspec.structs import replace

from immuni.api.limits import ANALYTICS_TOKEN_DIGITS
from immuni.app.analytics.memory import AnalyticsMemory, PhoneToken
from immuni.app.analytics.months import draw_moment, month_after, month_of
from immuni.entropy import Entropy

_DIGITS_OF_A_BYTE: Final = 2


def random_digits(entropy: Entropy) -> str:
    """Return digits of which nobody has seen the like."""
    return entropy.token(ANALYTICS_TOKEN_DIGITS // _DIGITS_OF_A_BYTE).hex()


def with_token(
    memory: AnalyticsMemory, *, now: datetime, is_detection: bool, entropy: Entropy
) -> AnalyticsMemory:
    """Return the memory with a token in it: the one that there is, or a new one where due.

    Args:
        memory: As it is.
        now: The server's clock.
        is_detection: Whether there was a detection, which alone replaces a token.
        entropy: Draws the token, and when it will be replaced.
    """
    token = memory.token
    if token is not None and not (is_detection and now >= token.replaced_from):
        return memory
    replaced_from = draw_moment(month_after(month_of(now)), entropy)
    fresh = PhoneToken(digits=random_digits(entropy), replaced_from=replaced_from)
    return replace(memory, token=fresh)


def with_authorisation(memory: AnalyticsMemory, digits: str) -> AnalyticsMemory:
    """Return the memory in which the token with these digits, if it is still there, counts."""
    token = memory.token
    if token is None or token.digits != digits:
        return memory
    return replace(memory, token=replace(token, is_authorised=True))


def usable_digits(memory: AnalyticsMemory, now: datetime) -> str | None:
    """Return the digits of a token that can vouch now; None where there is none.

    The server forgets a token at the end of the month after that of its authorisation. It was
    authorised in the month in which it was made, or later.
    """
    token = memory.token
    if token is None or not token.is_authorised:
        return None
    return token.digits if month_of(now) <= month_of(token.replaced_from) else None
