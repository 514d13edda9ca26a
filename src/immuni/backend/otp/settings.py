"""What an operator may change about codes."""

from dataclasses import dataclass
from datetime import timedelta

from immuni.settings import duration, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpSettings:
    """How long codes live."""

    otp_lifetime: timedelta = setting(
        duration("30s", "10m"),
        default=timedelta(seconds=150),
        meaning="How long a code lives after it was authorised, unless a phone has checked it.",
    )
