"""What the App remembers for the sake of Operational Info."""

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Detected(StrEnum):
    """What a detection came to.

    A detection is a check that was completed: also where no chunk was new, for then it is known
    that there is nothing, and also on the phone of a positive user, whose silence would tell. One
    that warned counts although a later chunk could not be had.
    """

    EXPOSURE = "exposure"
    """It warned the user."""
    NO_EXPOSURE = "no_exposure"
    """It did not: also where the user is at risk since an earlier one."""


class MonthlyMoment(msgspec.Struct, frozen=True, kw_only=True):
    """When in a month a phone may report that it found no exposure.

    Attributes:
        month: The first day of the month.
        at: From this moment on, for 24 hours.
        is_used: Whether a detection has drawn within them, whatever it drew.
    """

    month: date
    at: datetime
    is_used: bool = False


class PhoneToken(msgspec.Struct, frozen=True, kw_only=True):
    """The analytics token of an iOS phone, which is made anew each month.

    Attributes:
        digits: 128 hexadecimal ones, random.
        replaced_from: The first detection from this moment on replaces it; a moment of the month
            after that in which it was made.
        is_authorised: Whether the server has said that it is.
    """

    digits: str
    replaced_from: datetime
    is_authorised: bool = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class AnalyticsMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What was drawn, and what was done. Every time is the server's, in UTC.

    Attributes:
        installed_at: When the onboarding was completed; learnt at the first contact, and kept.
        exposure_drawn_in: The last month in which a warning has drawn, whatever it drew.
        moment: When this month a detection without exposure may draw.
        dummy_from: When the next dummy may be sent, for 24 hours.
        token: The analytics token, where the phone has one.
        undecided: A detection after which it has not been decided yet what to send.
    """

    installed_at: datetime | None = None
    exposure_drawn_in: date | None = None
    moment: MonthlyMoment | None = None
    dummy_from: datetime | None = None
    token: PhoneToken | None = None
    undecided: Detected | None = None
