"""What an operator may change about intake."""

from dataclasses import dataclass
from datetime import timedelta

from immuni.settings import duration, integer, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionSettings:
    """How codes are checked and uploads accepted."""

    otp_checked_lifetime: timedelta = setting(
        duration("30s", "1h"),
        default=timedelta(minutes=10),
        meaning="How long a code lives from its authorisation once a phone has checked it.",
    )
    otp_check_rate: int = setting(
        integer(1, 100_000),
        default=60,
        meaning="Wrong codes per source and minute after which the source is refused.",
    )
    max_clock_skew: timedelta = setting(
        duration("1m", "7d"),
        default=timedelta(hours=24),
        meaning="How wrong a phone's clock may be for its upload to be accepted.",
    )
