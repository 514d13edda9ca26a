"""Which of its own keys a phone broadcasts, and which it hands out. Decisions only."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from immuni.framework.store.own_keys import OwnKey
from immuni.keys import ENIntervalNumber, rolling_start_of

MAX_KEYS_PER_DAY: Final = 3
"""Intake refuses an upload in which more keys share a start."""


def current_key(keys: Sequence[OwnKey], interval: ENIntervalNumber) -> OwnKey | None:
    """Return the key to broadcast in `interval`, None when there is none yet.

    Never a released one: not even after the clock was turned back into its rolling period.

    Privacy:
        Nor one whose identifier of that time was on the air before the clock was turned back: its
        next address would be linked with its former one.
    """
    living = (
        key
        for key in keys
        if not key.released and key.tek.covers(interval) and interval >= key.unused_from
    )
    return next(living, None)


def may_begin_key(keys: Sequence[OwnKey], interval: ENIntervalNumber) -> bool:
    """Tell whether the UTC day of `interval` may have one more key."""
    start = rolling_start_of(interval)
    return sum(key.tek.rolling_start_number == start for key in keys) < MAX_KEYS_PER_DAY


def keys_to_hand_out(keys: Sequence[OwnKey], now: ENIntervalNumber) -> list[OwnKey]:
    """Return the keys of the history, the one that still runs cut to end with `now`.

    A day's last key is held back until the day is over: it could have no successor.

    Privacy:
        A key that is published while phones still accept its identifiers could be broadcast by
        anybody: so it ends at once, and its day goes on with another.

    Source:
        Cryptography Specification v1.2, "Diagnosis Key".
    """
    begun = [key for key in keys if key.tek.rolling_start_number <= now]
    return [
        _ended(key, now)
        for key in begun
        if key.released or not key.tek.covers(now) or may_begin_key(keys, now)
    ]


def _ended(key: OwnKey, now: ENIntervalNumber) -> OwnKey:
    if key.released or not key.tek.covers(now):
        return replace(key, released=True)
    # Its identifier of this very interval may have been heard already, so the interval counts.
    period = now - key.tek.rolling_start_number + 1
    return replace(key, tek=replace(key.tek, rolling_period=period), released=True)
