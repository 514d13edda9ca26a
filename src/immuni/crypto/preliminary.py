"""The key schedule of April 2020 ("Contact Tracing"), to read what was recorded in that time.

One Tracing Key per device, from which each day's key is derived; no metadata. No official vectors
exist.

Source:
    Contact Tracing Cryptography Specification, preliminary, April 2020.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NewType

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from immuni import _core
from immuni.crypto.final import RPI
from immuni.keys import (
    KEY_LENGTH,
    MAX_INTERVAL,
    TEK_ROLLING_PERIOD,
    InvalidKeyError,
    interval_at,
)

TracingKey = NewType("TracingKey", bytes)
"""A device's secret for good, 32 random bytes; never leaves it."""
DailyTracingKey = NewType("DailyTracingKey", bytes)
"""The key of one day, 16 bytes; published after a diagnosis."""
DayNumber = NewType("DayNumber", int)
"""Number of days since the Unix epoch, 32 bits."""
TimeIntervalNumber = NewType("TimeIntervalNumber", int)
"""Number of ten-minute intervals since the day's start, 0..143; written TIN."""

TRACING_KEY_LENGTH: Final = 32
_RPI_LENGTH: Final = 16
_MAX_DAY_NUMBER: Final = MAX_INTERVAL // TEK_ROLLING_PERIOD - 1


@dataclass(frozen=True, slots=True)
class PreliminaryDiagnosisKey:
    """The key of one day of somebody who tested positive, as it was published.

    Attributes:
        daily_tracing_key: 16 bytes.
        day_number: The UTC day of which it made the identifiers.

    Privacy:
        Whoever holds it can recognise every identifier that its phone broadcast that day.

    Source:
        Preliminary specification, "Diagnosis Key".
    """

    daily_tracing_key: DailyTracingKey = field(repr=False)
    day_number: DayNumber

    def __post_init__(self) -> None:
        """Check the limits of the protocol."""
        _check_key(self.daily_tracing_key)
        if not 0 <= self.day_number <= _MAX_DAY_NUMBER:
            raise InvalidKeyError(
                f"the intervals of a day must fit 32 bits, those of day {self.day_number} do not"
            )


def day_number_at(instant: datetime) -> DayNumber:
    """Return the UTC day that contains `instant`, which must be aware."""
    return DayNumber(interval_at(instant) // TEK_ROLLING_PERIOD)


def time_interval_number_at(instant: datetime) -> TimeIntervalNumber:
    """Return the interval, within its UTC day, that contains `instant`, which must be aware."""
    return TimeIntervalNumber(interval_at(instant) % TEK_ROLLING_PERIOD)


def derive_daily_tracing_key(tracing_key: TracingKey, day: DayNumber) -> DailyTracingKey:
    """Derive the key of `day`.

    Raises:
        InvalidKeyError: `tracing_key` is not 32 bytes long.
        ValueError: `day` does not fit 32 bits.

    Layout:
        HKDF info: ``0..5`` b"CT-DTK", ``6..9`` day number, little-endian.

    Source:
        Preliminary specification, "Daily Tracing Key".
    """
    if len(tracing_key) != TRACING_KEY_LENGTH:
        raise InvalidKeyError(
            f"a Tracing Key has {TRACING_KEY_LENGTH} bytes, got {len(tracing_key)}"
        )
    if not 0 <= day < 2**32:
        raise ValueError(f"a day number must fit 32 bits, got {day}")
    info = b"CT-DTK" + day.to_bytes(4, "little")
    derivation = HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=None, info=info)
    return DailyTracingKey(derivation.derive(tracing_key))


def generate_rpi(key: DailyTracingKey, tin: TimeIntervalNumber) -> RPI:
    """Return the identifier broadcast in the interval `tin` of the key's day.

    Raises:
        InvalidKeyError: `key` is not 16 bytes long.
        ValueError: `tin` is not in 0..143.

    Source:
        Preliminary specification, "Rolling Proximity Identifier".
    """
    _check_key(key)
    if not 0 <= tin < TEK_ROLLING_PERIOD:
        raise ValueError(f"a time interval number is in 0..143, got {tin}")
    return RPI(_core.derive_preliminary_rpis(key, tin, 1))


def generate_rpis(key: DailyTracingKey) -> list[RPI]:
    """Return the identifiers of the key's whole day, in order.

    Raises:
        InvalidKeyError: `key` is not 16 bytes long.
    """
    _check_key(key)
    packed = _core.derive_preliminary_rpis(key, 0, TEK_ROLLING_PERIOD)
    return [RPI(packed[at : at + _RPI_LENGTH]) for at in range(0, len(packed), _RPI_LENGTH)]


def _check_key(key: DailyTracingKey) -> None:
    if len(key) != KEY_LENGTH:
        raise InvalidKeyError(f"a Daily Tracing Key has {KEY_LENGTH} bytes, got {len(key)}")
