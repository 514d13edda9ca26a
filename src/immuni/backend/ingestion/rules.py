"""Which uploads are plausible, and what is kept of them; pure decisions."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from immuni.api.dates import is_recent
from immuni.api.ingestion import Tek, Upload
from immuni.api.limits import MAX_EXPOSURE_AGE
from immuni.api.provinces import Territory
from immuni.backend.errors import InvalidRequestError
from immuni.backend.infectiousness import Diagnosis, Infectiousness
from immuni.backend.packed_keys import KeyParts
from immuni.keys import INTERVAL_SECONDS, TEK_ROLLING_PERIOD

K = TypeVar("K", bound=KeyParts)

MAX_KEY_LEAD: Final = timedelta(hours=2)
"""How far in the future a key may start."""
MAX_KEY_AGE: Final = timedelta(days=15)
"""How long ago a key's period may have ended."""


def vet(
    upload: Upload,
    *,
    now: datetime,
    client_clock: datetime,
    max_clock_skew: timedelta,
    territory: Territory,
) -> None:
    """Refuse an upload that no honest phone sends.

    What is wrong in itself was refused when the body was read; this is what needs the time of day
    and the territory.

    Args:
        upload: A well-formed upload.
        now: When it was received.
        client_clock: What time the phone believes it is.
        max_clock_skew: How far that may be from `now`.
        territory: Where people live.

    Raises:
        UnknownProvinceError: The province is none of the territory.
        InvalidRequestError: Another rule is broken; the message says which.
    """
    territory.parse(upload.province)
    _vet_days(upload, now)
    skew = client_clock - now
    if abs(skew) > max_clock_skew:
        raise InvalidRequestError("clock of the phone too far off")
    _vet_teks(upload.teks, now + skew)


def keys_to_keep(teks: Iterable[K], diagnosis: Diagnosis, table: Infectiousness) -> list[K]:
    """Return the keys of the days on which the person may have been infectious."""
    levels, onset = table.levels, diagnosis.onset_number
    return [tek for tek in teks if tek.rolling_start_number // TEK_ROLLING_PERIOD - onset in levels]


def _vet_days(upload: Upload, now: datetime) -> None:
    for summary in upload.exposure_detection_summaries:
        days = {summary.date, *(info.date for info in summary.exposure_info)}
        if not all(is_recent(day, now=now, window=MAX_EXPOSURE_AGE) for day in days):
            raise InvalidRequestError("exposure detection summaries date out of range")


def _vet_teks(teks: Iterable[Tek], phone_now: datetime) -> None:
    """Compare keys with the phone's own clock, which is the skew taken off both sides.

    In intervals, because a number on the wire may be a year that no calendar has.
    """
    latest_start = (phone_now + MAX_KEY_LEAD).timestamp() / INTERVAL_SECONDS
    earliest_end = (phone_now - MAX_KEY_AGE).timestamp() / INTERVAL_SECONDS
    for tek in teks:
        if tek.rolling_start_number > latest_start:
            raise InvalidRequestError("teks rolling start number in the future")
        if tek.rolling_start_number + tek.rolling_period < earliest_end:
            raise InvalidRequestError("teks too old")
