"""What can be changed about the portal without changing code."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from immuni.portal.factors.keys import FactorKeys
from immuni.settings import Kind, choice, duration, integer, setting, text


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"{text!r} is not a time zone") from error


class SecondFactor(StrEnum):
    """Whether a password alone is enough."""

    REQUIRED = "required"
    OFFERED = "offered"


def _factor_keys(text: str) -> FactorKeys | None:
    return FactorKeys.parse(text) if text else None


_FACTOR_KEYS: Final[Kind[FactorKeys | None]] = Kind(
    _factor_keys,
    "pairs id:key, separated by commas, the current one first, keys of 32 bytes in hexadecimal",
    lambda keys: keys.render() if keys else "",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSettings:
    """How long operators stay signed in, and which days they may enter."""

    portal_time_zone: ZoneInfo = setting(
        Kind(_zone, "a time zone of the IANA database, like Europe/Rome"),
        default=ZoneInfo("Europe/Rome"),
        meaning="Where the operators work: it decides which day is today.",
    )
    portal_session_idle: timedelta = setting(
        duration("1m", "4h"),
        default=timedelta(minutes=30),
        meaning="How long an operator stays signed in without doing anything.",
    )
    portal_session_lifetime: timedelta = setting(
        duration("10m", "1d"),
        default=timedelta(hours=10),
        meaning="After how long an operator signs in again, whatever they do.",
    )
    portal_second_factor: SecondFactor = setting(
        choice(SecondFactor),
        default=SecondFactor.REQUIRED,
        meaning="Whether every account sets up a second factor at its first sign-in; once it has "
        "one, it is asked for it in any case.",
    )
    portal_factor_keys: FactorKeys | None = setting(
        _FACTOR_KEYS,
        default=None,
        secret=True,
        meaning="Keys that encrypt the secrets of authenticator apps and sign the challenges of "
        "passkeys; made on the first start where none is set.",
    )
    portal_proof_lifetime: timedelta = setting(
        duration("1m", "1h"),
        default=timedelta(minutes=10),
        meaning="For how long a proof of who somebody is opens the pages that want a fresh one.",
    )
    portal_max_date_age: timedelta = setting(
        duration("1d", "180d"),
        default=timedelta(days=30),
        meaning="How far back the first symptoms or the test may lie.",
    )
    portal_small_count: int = setting(
        integer(1, 100),
        default=5,
        meaning="Fewer codes than this on one day of an organisation are not told.",
    )
    portal_otp_timeout: timedelta = setting(
        duration("500ms", "30s"),
        default=timedelta(seconds=4),
        meaning="How long the portal waits for one answer of the OTP Service.",
    )
    portal_insights_url: str = setting(
        text(pattern=r"(?:https?://[!-~]+)?", wanted="a URL that begins with https:// or http://"),
        default="",
        meaning="Where those who may see totals find insights; without it the menu has no link.",
    )
    # The OTP Service's own setting: the portal shows what is left of it.
    otp_lifetime: timedelta = setting(
        duration("30s", "10m"),
        default=timedelta(seconds=150),
        meaning="How long a code lives after it was authorised, unless a phone has checked it.",
    )
